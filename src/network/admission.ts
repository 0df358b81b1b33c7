import { z } from 'zod'
import { MAX_CERTIFICATE_BYTES, type MembershipCertificate } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError, toModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import { verifyCertificate } from './certificate.ts'
import type { CallHandlers, Channel } from './channel.ts'
import { read, tell } from './exchange.ts'
import { createRevocations, RevocationListsSchema } from './revocations.ts'
import { TokenBuckets } from './token-bucket.ts'

/** Who may take part: nodes that an operator has signed for. */
export interface AdmissionOptions {
  /** This node's own certificate, shown to every partner. @default it has none */
  readonly certificate?: string
  /** Node ids of the operators whose word counts. @default none */
  readonly operators?: readonly string[]
  /** Only peers with a certificate are admitted; else the others are of no domain. @default true with operators */
  readonly required?: boolean
  /** Signed lists of certificates that operators have taken back; others are heard of from peers. @default none */
  readonly revocations?: readonly string[]
  /** Told the newest list of each operator when one says more than was known. @default nobody is */
  readonly onRevocations?: (lists: readonly string[]) => void
  /** What else decides on a peer, when its domain is known. @default all are admitted */
  readonly admits?: (peer: string, domain: string | undefined) => boolean
}

/** The door of a channel: nothing is served to a peer that is not admitted. */
export interface Door {
  readonly handlers: CallHandlers
  /** The same methods, for admitted peers only; others get FORBIDDEN. */
  guard(handlers: CallHandlers): CallHandlers
  /** Shows our certificate and waits for theirs if it is required. Rejects with FORBIDDEN, INVALID_SIGNATURE or PEER_LOST. */
  greet(channel: Channel, peer: string): Promise<void>
  /** Why a peer is not worth a link for now: it has asked for a certificate that this node does not have. */
  barred(peer: string): ModelNetError | undefined
  /** Why a peer that was admitted is not any more, if so. */
  objection(peer: string): ModelNetError | undefined
  /** Tells a peer what operators have taken back. Never rejects. */
  tellRevocations(channel: Channel): Promise<void>
  /** The domain a peer belongs to, by its operator's word. */
  domain(peer: string): string | undefined
}

const METHOD = 'link/admit'
const REVOCATIONS = 'link/revocations'
/** Each costs the checking of signatures: a peer has one channel or two, and lists change seldom. */
const GREETINGS = { burst: 20, perSecond: 1 }
const GREETING_MS = 5000
const MAX_REMEMBERED = 1024
/** It may have got another configuration by then. */
const BARRED_MS = 60_000
const GreetingSchema = z.object({
  certificate: z.string().min(1).max(MAX_CERTIFICATE_BYTES).exactOptional(),
  required: z.boolean().exactOptional(),
})

const RevocationsSchema = z.object({ lists: RevocationListsSchema })

interface Waiting {
  readonly shown: () => void
  readonly refused: (error: ModelNetError) => void
}

/** `onRevoked` is told when an operator has taken back more than was known. */
export function createDoor(
  components: { readonly clock: Clock; readonly logger: Logger; readonly onRevoked?: () => void },
  options: AdmissionOptions = {},
): Door {
  const { clock, logger, onRevoked = () => undefined } = components
  const { certificate, operators = [], required = operators.length > 0, admits = () => true } = options
  const revocations = createRevocations(operators)
  const greetings = new TokenBuckets(clock, GREETINGS)
  const shown = new Map<string, MembershipCertificate>()
  const waiting = new Map<string, Set<Waiting>>()
  /** Until when peers are left alone that asked for a certificate we do not have. */
  const barredUntil = new Map<string, number>()

  const valid = (peer: string): MembershipCertificate | undefined => {
    const certified = shown.get(peer)
    if (!certified || certified.expiresAt <= clock.now() / 1000 || revocations.includes(certified)) return undefined
    return certified
  }

  const limit = (peer: string): void => {
    if (!greetings.of(peer).take()) throw new ModelNetError('OVERLOADED', `${peer} greets too often`)
  }

  const takeLists = async (lists: readonly string[], from?: string): Promise<void> => {
    const taken = await Promise.allSettled(lists.map(jws => revocations.take(jws)))
    for (const each of taken)
      if (each.status === 'rejected') {
        // A peer may trust operators that this node does not.
        const level = from === undefined ? 'warn' : 'debug'
        logger[level]({ peer: from, reason: String(each.reason) }, 'a list of revocations is refused')
      }
    if (!taken.some(each => each.status === 'fulfilled' && each.value)) return
    options.onRevocations?.(revocations.lists())
    onRevoked()
  }
  /** Nobody is admitted before the lists of the configuration are read. */
  const ready = takeLists(options.revocations ?? [])

  /** Why a peer is not admitted, if it is not. */
  const objection = (peer: string): ModelNetError | undefined => {
    const certified = valid(peer)
    if (required && !certified)
      return new ModelNetError('FORBIDDEN', `${peer} is not admitted: no certificate of an operator of this network`)
    if (!admits(peer, certified?.domain))
      return new ModelNetError('FORBIDDEN', `${peer} of domain ${certified?.domain ?? 'public'} is not allowed here`)
    return undefined
  }

  const take = async (peer: string, jws: string): Promise<void> => {
    try {
      const certified = await verifyCertificate(jws, { node: peer, operators, clock })
      if (revocations.includes(certified))
        throw new ModelNetError('FORBIDDEN', `the certificate of ${peer} was taken back by its operator`)
      shown.delete(peer)
      shown.set(peer, certified)
    } catch (error) {
      if (required) throw error
      logger.info({ peer, reason: String(error) }, 'a certificate does not count: the peer is of no domain')
    }
    const [oldest] = shown.keys()
    if (shown.size > MAX_REMEMBERED && oldest !== undefined) shown.delete(oldest)
  }

  const settle = (peer: string, error?: ModelNetError): void => {
    for (const { shown: resolve, refused } of waiting.get(peer) ?? []) error ? refused(error) : resolve()
    waiting.delete(peer)
  }

  const hasShown = async (peer: string): Promise<void> => {
    if (valid(peer)) return
    const timer = new AbortController()
    const greeting = new Promise<void>((resolve, reject) => {
      const all = waiting.get(peer) ?? new Set()
      waiting.set(peer, all.add({ shown: resolve, refused: reject }))
    })
    const late = clock.sleep(GREETING_MS, timer.signal).then(
      () => settle(peer, new ModelNetError('FORBIDDEN', `${peer} showed no certificate within ${GREETING_MS} ms`)),
      () => undefined, // it has shown one, or none
    )
    await greeting.finally(() => timer.abort())
    await late
  }

  const miss = (peer: string): ModelNetError => {
    if (!barredUntil.has(peer))
      logger.warn(
        { peer },
        'a node admits only nodes that its operator has signed for, and this node has no certificate',
      )
    barredUntil.delete(peer)
    barredUntil.set(peer, clock.monotonic() + BARRED_MS)
    const [oldest] = barredUntil.keys()
    if (barredUntil.size > MAX_REMEMBERED && oldest !== undefined) barredUntil.delete(oldest)
    return new ModelNetError('FORBIDDEN', 'this node has no certificate to show')
  }

  return {
    domain: peer => valid(peer)?.domain,
    objection,
    async tellRevocations(channel) {
      const lists = revocations.lists()
      if (lists.length === 0) return
      await tell(channel, REVOCATIONS, { lists }).catch(error => {
        if (toModelNetError(error).code !== 'UNSUPPORTED')
          logger.debug({ reason: String(error) }, 'a peer was not told')
      })
    },
    barred: peer =>
      clock.monotonic() < (barredUntil.get(peer) ?? 0)
        ? new ModelNetError('FORBIDDEN', `${peer} admits only nodes that its operator has signed for`)
        : undefined,
    guard: handlers =>
      Object.fromEntries(
        Object.entries(handlers).map(([method, handler]) => [
          method,
          async function* guarded(body, call, context) {
            const error = objection(context.peer)
            if (error) throw error
            yield* handler(body, call, context)
          } satisfies CallHandlers[string],
        ]),
      ),
    handlers: {
      // biome-ignore lint/correctness/useYield: the caller waits for the end, nothing is answered
      async *[METHOD](body, _call, { peer }) {
        limit(peer)
        await ready
        const greeting = read(GreetingSchema, body, METHOD)
        try {
          if (greeting.certificate !== undefined) await take(peer, greeting.certificate)
          const error = objection(peer)
          if (error) throw error
          settle(peer)
        } catch (error) {
          settle(peer, toModelNetError(error))
          throw error
        }
        if (greeting.required && certificate === undefined) throw miss(peer)
      },
      // biome-ignore lint/correctness/useYield: the caller waits for the end, nothing is answered
      async *[REVOCATIONS](body, _call, { peer }) {
        limit(peer)
        await takeLists(read(RevocationsSchema, body, REVOCATIONS).lists, peer)
      },
    },
    async greet(channel, peer) {
      await ready
      const isAsked = required || !admits(peer, undefined)
      const known = isAsked ? hasShown(peer) : Promise.resolve()
      known.catch(() => undefined) // the other side may refuse us first
      if (certificate !== undefined || isAsked) {
        const greeting = { ...(certificate !== undefined && { certificate }), required: isAsked }
        await tell(channel, METHOD, greeting).catch(error => {
          // A peer that knows no such method shows no certificate either.
          if (toModelNetError(error).code !== 'UNSUPPORTED') throw error
          if (isAsked) throw new ModelNetError('FORBIDDEN', `${peer} shows no certificate`, { cause: error })
        })
      }
      await known
      const error = objection(peer)
      if (error) throw error
    },
  }
}
