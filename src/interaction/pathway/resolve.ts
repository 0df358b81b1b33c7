import type { Candidate, Matcher, ModelReference } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { near } from './near.ts'
import type { Board } from './path.ts'

/** Reads a reference as it stands in a term: `*`, `@tag`, `model`, `model@node`. */
export function toReference(text: string): ModelReference {
  if (text === '*') return { kind: 'any' }
  if (text.startsWith('@')) return { kind: 'tag', tag: text.slice(1) }
  const at = text.lastIndexOf('@')
  if (at <= 0) return { kind: 'model', id: text }
  return { kind: 'model', id: text.slice(0, at), node: text.slice(at + 1) }
}

/** A node that was killed and started again is seen by all others within so long. */
const AWAY_RETRY_MS = 2000

export interface Wanted {
  readonly reference: string
  /** The rank-th distinct model; absent means the best, with all others behind it. */
  readonly rank?: number
  /** Ranks that siblings take; spares come after them. @default rank + 1 */
  readonly ranks?: number
  /** `model@node` that are asked only if nobody else is there: a judge is not to judge itself. */
  readonly avoid?: readonly string[]
  /** Who can do what is asked; the others are not asked for it. @default everybody */
  readonly able?: (candidate: Candidate) => boolean
}

/**
 * Who can serve a reference now: the first is asked, the others take over in order. With a rank, the nodes of the
 * rank-th distinct model come first, then models that no sibling asked for: two votes of one model are one vote.
 * Throws NO_CANDIDATE or MODEL_NOT_FOUND.
 */
export function resolve(wanted: Wanted, board: Board, matcher: Matcher): readonly Candidate[] {
  const reference = toReference(wanted.reference)
  const found = matcher.candidates(reference, board.analysis.tags)
  if (found.length === 0) throw nobody(wanted.reference, reference, board.analysis.tags, matcher)
  const candidates = wanted.able ? found.filter(wanted.able) : found
  if (candidates.length === 0)
    throw new ModelNetError(
      'NO_CANDIDATE',
      `${wanted.reference} can answer questions and was not made to judge answers; a judge is a model that follows instructions, or one with the tag skill:review`,
    )
  const { avoid = [] } = wanted
  if (avoid.length > 0) {
    const avoided = new Set(avoid.map(modelOf))
    const isAvoided = ({ model }: Candidate): boolean => avoided.has(model.card.id)
    return [...candidates.filter(candidate => !isAvoided(candidate)), ...candidates.filter(isAvoided)]
  }
  if (wanted.rank === undefined) return candidates
  const ids = [...new Set(candidates.map(candidate => candidate.model.card.id))]
  const own = ids[wanted.rank]
  if (own === undefined)
    throw new ModelNetError(
      'NO_CANDIDATE',
      `${wanted.reference} names ${ids.length} distinct models now, not ${wanted.rank + 1}`,
    )
  const spares = ids.slice(Math.max(wanted.ranks ?? 0, wanted.rank + 1))
  const copies = (id: string): readonly Candidate[] => candidates.filter(({ model }) => model.card.id === id)
  return [own, ...spares].flatMap(copies)
}

/** The model id in `model@node`. */
export const modelOf = (name: string): string => (name.includes('@') ? name.slice(0, name.lastIndexOf('@')) : name)

/** Why nobody answers to a reference: NO_CANDIDATE, MODEL_NOT_FOUND, or UNSUPPORTED for a model that makes embeddings only. */
export function nobody(
  text: string,
  reference: ModelReference,
  tags: Board['analysis']['tags'],
  matcher: Matcher,
): ModelNetError {
  if (reference.kind === 'any') return new ModelNetError('NO_CANDIDATE', 'no node offers a model now')
  const live = matcher.candidates({ kind: 'any' }, tags)
  if (reference.kind === 'tag')
    return new ModelNetError('NO_CANDIDATE', `no live model has the tag ${reference.tag}`, {
      details: { near: near(text, [...new Set(live.flatMap(({ model }) => model.card.tags))]) },
    })
  if (matcher.candidates(reference, tags, 'embed').length > 0)
    return new ModelNetError('UNSUPPORTED', `model ${reference.id} makes embeddings and does not answer`)
  const where = reference.node === undefined ? '' : ` at node ${reference.node}`
  // Its holders have left or are lost for now, or their circuits are open: they may be back when the caller asks again.
  if (matcher.knows?.(reference))
    return new ModelNetError('NO_CANDIDATE', `no node that offers ${reference.id}${where} can be asked now`, {
      details: { retryAfterMs: AWAY_RETRY_MS },
    })
  const similar = near(reference.id, [...new Set(live.map(({ model }) => model.card.id))])
  const hint = similar.length > 0 ? `; did you mean ${similar.join(' or ')}?` : ''
  return new ModelNetError('MODEL_NOT_FOUND', `no node offers a model named ${reference.id}${where}${hint}`, {
    details: { near: similar },
  })
}
