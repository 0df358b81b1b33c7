import type { DecodeSession, DecodeStep, Distribution, DistributionKind } from '../resource/index.ts'
import { createDecodeSession } from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'
import { systemClock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'

const END = 256

export interface ScriptedSessionOptions {
  readonly distribution: DistributionKind
  /** The distribution after the committed text; called for every step, peeked offset and drafted byte. */
  readonly next: (text: Uint8Array) => Distribution
  /** @default the system clock */
  readonly clock?: Clock
  /** Time one step takes, in ms. @default 0 */
  readonly stepDelayMs?: number
  /** Steps that succeed before every further one fails. @default Infinity */
  readonly failAfterSteps?: number
  /** @default ENGINE_FAILED */
  readonly error?: Error
  readonly onClose?: () => void
}

/** A session of a scripted model, with what a test wants to look at. */
export interface ScriptedSession extends DecodeSession {
  /** Text committed so far. */
  readonly committed: Uint8Array
  /** Round trips so far. */
  readonly steps: readonly DecodeStep[]
  readonly closed: boolean
}

/** A decode session from a function that gives the next distribution: any fusion rule can be tested without weights. */
export function createScriptedSession(options: ScriptedSessionOptions): ScriptedSession {
  const {
    distribution,
    next,
    clock = systemClock,
    stepDelayMs = 0,
    failAfterSteps = Number.POSITIVE_INFINITY,
  } = options
  const error = options.error ?? new ModelNetError('ENGINE_FAILED', 'the scripted session fails here')
  const steps: DecodeStep[] = []
  let committed = new Uint8Array()
  let closed = false
  const session = createDecodeSession({
    distribution,
    async step(step, call) {
      call?.signal?.throwIfAborted()
      if (closed) throw new ModelNetError('INVALID_REQUEST', 'the decode session is closed')
      if (steps.length >= failAfterSteps) throw error
      steps.push(step)
      if (stepDelayMs > 0) await clock.sleep(stepDelayMs, call?.signal)
      if (step.commit) committed = join(committed, step.commit)
      const distributions: Distribution[] = []
      if (step.next) distributions.push(next(committed))
      const { peek } = step
      if (peek) {
        const offsets = step.at ?? Array.from({ length: peek.length + 1 }, (_, offset) => offset)
        for (const offset of offsets) {
          if (offset > peek.length)
            throw new ModelNetError('INVALID_REQUEST', `offset ${offset} lies beyond the ${peek.length} bytes proposed`)
          distributions.push(next(join(committed, peek.subarray(0, offset))))
        }
      }
      return {
        ...(step.next || peek ? { distributions } : {}),
        ...(step.draft ? { draft: greedy(next, committed, step.draft) } : {}),
      }
    },
    async close() {
      if (closed) return
      closed = true
      options.onClose?.()
    },
  })
  return Object.defineProperties(session, {
    committed: { get: () => committed },
    steps: { get: () => steps },
    closed: { get: () => closed },
  }) as ScriptedSession // the three properties are defined in the line above
}

function greedy(
  next: (text: Uint8Array) => Distribution,
  committed: Uint8Array,
  maxBytes: number,
): { bytes: Uint8Array; end: boolean } {
  let text = committed
  for (;;) {
    const best = mostProbable(next(text))
    if (best === 'end') return { bytes: text.subarray(committed.length), end: true }
    if (text.length - committed.length + best.length > maxBytes)
      return { bytes: text.subarray(committed.length), end: false }
    text = join(text, best)
  }
}

function mostProbable(distribution: Distribution): Uint8Array | 'end' {
  if (distribution.kind === 'bytes') {
    let best = 0
    for (let symbol = 1; symbol <= END; symbol++)
      if ((distribution.probabilities[symbol] ?? 0) > (distribution.probabilities[best] ?? 0)) best = symbol
    return best === END ? 'end' : Uint8Array.of(best)
  }
  const first = distribution.candidates[0]
  return first && first.logprob > distribution.end ? first.bytes : 'end'
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
