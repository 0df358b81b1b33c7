import type { CallHandlers } from '../network/index.ts'
import type { LanguageModel } from '../resource/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Subjects } from './network-schema.ts'

/** The domain of nodes that no operator has signed into one. */
export const PUBLIC = 'public'

/** A node, with the domain an operator has signed it into. What a node says of itself does not count. */
export interface Subject {
  readonly node: string
  readonly domain?: string | undefined
}

/** Whether a list of node ids and domains names this node; a list that is absent names all. */
export const permits = (allowed: Subjects | undefined, { node, domain = PUBLIC }: Subject): boolean =>
  allowed === undefined || allowed.includes(node) || allowed.includes(domain)

/** Whose calls are served. */
export interface ServePolicy {
  /** Who may use this node's models at all. */
  readonly serve: Subjects | undefined
  /** The models of this node; a card with a list of its own is for those only. */
  readonly models: () => readonly Pick<LanguageModel, 'card'>[]
  readonly domainOf: (node: string) => string | undefined
}

/** The same methods, for those they are meant for; others get FORBIDDEN before anything is read or started. */
export function guardCalls(handlers: CallHandlers, policy: ServePolicy): CallHandlers {
  const check = (body: unknown, peer: string): void => {
    const subject = { node: peer, domain: policy.domainOf(peer) }
    const id = typeof body === 'object' && body !== null && 'model' in body ? body.model : undefined
    const allowed = policy.models().find(({ card }) => card.id === id)?.card.allow ?? policy.serve
    if (permits(allowed, subject)) return
    const what = typeof id === 'string' ? `the model ${id} here` : 'this node'
    const whose = `${peer} of domain ${subject.domain ?? PUBLIC}`
    // Retryable: a caller that asks one of several nodes is served by another.
    throw new ModelNetError('FORBIDDEN', `policy does not let ${whose} use ${what}`, { retryable: true })
  }
  return Object.fromEntries(
    Object.entries(handlers).map(([method, handler]) => [
      method,
      async function* guarded(body, call, context) {
        check(body, context.peer)
        yield* handler(body, call, context)
      } satisfies CallHandlers[string],
    ]),
  )
}
