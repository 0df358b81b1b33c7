import { z } from 'zod'
import {
  DOCUMENT_TYPES,
  MAX_CERTIFICATE_BYTES,
  MAX_CLOCK_SKEW_S,
  type MembershipCertificate,
  MembershipCertificateSchema,
  type Signer,
  signDocument,
  verifyDocument,
} from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { CallHandlers, Channel } from './channel.ts'
import { read, tell } from './exchange.ts'

/** Who may take part: nodes that an operator has signed for. */
export interface AdmissionOptions {
  /** This node's own certificate, shown to every partner. */
  readonly certificate: string
  /** Node ids of the operators whose word counts. */
  readonly operators: readonly string[]
}

/** The door of a channel: nothing is served to a peer before it has shown a certificate. */
export interface Door {
  readonly handlers: CallHandlers
  /** The same methods, for admitted peers only; others get FORBIDDEN. */
  guard(handlers: CallHandlers): CallHandlers
  /** Shows our certificate and waits for theirs. Rejects with FORBIDDEN, INVALID_SIGNATURE or PEER_LOST. */
  greet(channel: Channel, peer: string): Promise<void>
  /** The domain an admitted peer belongs to, by its operator's word. */
  domain(peer: string): string | undefined
}

const METHOD = 'link/admit'
const GREETING_MS = 5000
const MAX_REMEMBERED = 1024
const GreetingSchema = z.object({ certificate: z.string().min(1).max(MAX_CERTIFICATE_BYTES) })

/** An operator signs a node in. `lifeS` is seconds. */
export async function issueCertificate(
  operator: Signer,
  clock: Clock,
  admitted: { readonly node: string; readonly domain: string; readonly lifeS: number },
): Promise<string> {
  const { node, domain, lifeS } = admitted
  const issuedAt = Math.floor(clock.now() / 1000)
  const certificate: MembershipCertificate = {
    version: 1,
    node,
    operator: operator.nodeId,
    domain,
    issuedAt,
    expiresAt: issuedAt + lifeS,
  }
  return (await signDocument(certificate, DOCUMENT_TYPES.certificate, operator)).jws
}

export function createDoor(clock: Clock, options: AdmissionOptions): Door {
  const { certificate, operators } = options
  const admitted = new Map<string, MembershipCertificate>()
  const waiting = new Map<string, Set<() => void>>()

  const valid = (peer: string): MembershipCertificate | undefined => {
    const shown = admitted.get(peer)
    return shown && shown.expiresAt > clock.now() / 1000 ? shown : undefined
  }

  const check = async (peer: string, jws: string): Promise<MembershipCertificate> => {
    const { document, signer } = await verifyDocument(
      jws,
      DOCUMENT_TYPES.certificate,
      MembershipCertificateSchema,
      MAX_CERTIFICATE_BYTES,
    )
    const refuse = (what: string): ModelNetError => new ModelNetError('FORBIDDEN', `the certificate of ${peer} ${what}`)
    const nowS = clock.now() / 1000
    if (document.node !== peer) throw refuse(`is that of ${document.node}`)
    if (document.operator !== signer || !operators.includes(signer))
      throw refuse('is not signed by an operator we trust')
    if (document.issuedAt > nowS + MAX_CLOCK_SKEW_S || document.expiresAt <= nowS) throw refuse('is not valid now')
    return document
  }

  const hasShown = (peer: string): Promise<void> =>
    new Promise((resolve, reject) => {
      if (valid(peer)) return resolve()
      const timer = new AbortController()
      const done = (): void => {
        timer.abort()
        waiting.get(peer)?.delete(done)
        if (waiting.get(peer)?.size === 0) waiting.delete(peer)
        resolve()
      }
      waiting.set(peer, (waiting.get(peer) ?? new Set()).add(done))
      clock.sleep(GREETING_MS, timer.signal).then(
        () => {
          waiting.get(peer)?.delete(done)
          reject(new ModelNetError('FORBIDDEN', `${peer} showed no certificate within ${GREETING_MS} ms`))
        },
        () => undefined, // it has shown one
      )
    })

  return {
    domain: peer => valid(peer)?.domain,
    guard: handlers =>
      Object.fromEntries(
        Object.entries(handlers).map(([method, handler]) => [
          method,
          async function* guarded(body, call, context) {
            if (!valid(context.peer)) throw new ModelNetError('FORBIDDEN', `${context.peer} is not admitted`)
            yield* handler(body, call, context)
          } satisfies CallHandlers[string],
        ]),
      ),
    handlers: {
      // biome-ignore lint/correctness/useYield: the caller waits for the end, nothing is answered
      async *[METHOD](body, _call, { peer }) {
        admitted.delete(peer)
        admitted.set(peer, await check(peer, read(GreetingSchema, body, METHOD).certificate))
        const [oldest] = admitted.keys()
        if (admitted.size > MAX_REMEMBERED && oldest !== undefined) admitted.delete(oldest)
        for (const done of [...(waiting.get(peer) ?? [])]) done()
      },
    },
    async greet(channel, peer) {
      await Promise.all([tell(channel, METHOD, { certificate }), hasShown(peer)])
    },
  }
}
