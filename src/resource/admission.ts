import type { ModelCard, ModelStatus } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'

export interface AdmissionOptions {
  readonly clock: Clock
  /** Calls that may wait for one model. @default 16 for each of its slots */
  readonly maxQueued?: number
}

export interface EnterOptions {
  /** Node id of who asks; `local` for this node. Callers take turns. */
  readonly caller: string
  readonly signal?: AbortSignal
  /** A call that is not expected to be done in this time is refused: at once, or when its turn comes too late. */
  readonly deadlineMs?: number
}

/** A call's place at a model. */
export interface AdmissionSlot {
  /** Milliseconds the call waited for its place. */
  readonly waitedMs: number
  /** Gives the place back, telling what was made in it. May be called twice. */
  release(made?: { readonly completionTokens: number }): void
}

/** Bounds the work in flight at the models of this node: a few calls run, some wait, the others are told when to retry. */
export interface Admission {
  /** What waiting is measured by. */
  readonly clock: Clock
  /** Waits for a place. Rejects with OVERLOADED (`details.retryAfterMs`) or with the signal's reason. */
  enter(card: ModelCard, options: EnterOptions): Promise<AdmissionSlot>
  /** Live load of a model; zeros for one that was never asked. */
  status(card: ModelCard): ModelStatus
}

/** Calls a model serves at once when its card does not say. */
const DEFAULT_SLOTS = 1
/** Weight of the newest call in the moving averages: about the last ten calls count. */
const SMOOTHING = 0.2
/** Answers vary in length: what is expected to need more of its time than this is likely to be late. */
const SAFE_SHARE = 0.8
const MIN_RETRY_MS = 50
const MAX_RETRY_MS = 60_000

interface Waiting {
  readonly caller: string
  /** Monotonic milliseconds by which it must be done. */
  readonly due: number
  start(): void
  refuse(error: ModelNetError): void
}

interface Gate {
  readonly running: Map<string, number>
  runningCount: number
  readonly waiting: Waiting[]
  /** Moving averages; 0 while nothing was measured. */
  serviceMs: number
  tokensPerSecond: number
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { clock } = options
  const gates = new Map<string, Gate>()
  const gateOf = (card: ModelCard): Gate => {
    const known = gates.get(card.id)
    if (known) return known
    const gate: Gate = { running: new Map(), runningCount: 0, waiting: [], serviceMs: 0, tokensPerSecond: 0 }
    gates.set(card.id, gate)
    return gate
  }
  const slotsOf = (card: ModelCard): number => card.concurrency ?? DEFAULT_SLOTS

  const take = (card: ModelCard, gate: Gate, caller: string, entered: number): AdmissionSlot => {
    const started = clock.monotonic()
    gate.running.set(caller, (gate.running.get(caller) ?? 0) + 1)
    gate.runningCount++
    let released = false
    return {
      waitedMs: started - entered,
      release(made) {
        if (released) return
        released = true
        const ms = clock.monotonic() - started
        // an answer that was cut says only that a whole one takes longer
        if (made?.completionTokens !== 0 || ms > gate.serviceMs) gate.serviceMs = smooth(gate.serviceMs, ms)
        if (made && made.completionTokens > 0 && ms > 0)
          gate.tokensPerSecond = smooth(gate.tokensPerSecond, (made.completionTokens / ms) * 1000)
        gate.runningCount--
        const left = (gate.running.get(caller) ?? 1) - 1
        if (left > 0) gate.running.set(caller, left)
        else gate.running.delete(caller)
        startNext(card, gate)
      },
    }
  }
  /** Gives free places to those who wait; who can no longer be done in time is told so, and costs nothing. */
  const startNext = (card: ModelCard, gate: Gate): void => {
    while (gate.runningCount < slotsOf(card)) {
      const next = nextOf(gate)
      if (!next) return
      if (clock.monotonic() + gate.serviceMs <= next.due) next.start()
      else next.refuse(overloaded(card, gate, 'got to this call too late'))
    }
  }
  const waitMs = (card: ModelCard, gate: Gate, before: number = gate.waiting.length): number =>
    (gate.serviceMs * (before + 1)) / Math.max(1, slotsOf(card))
  const overloaded = (card: ModelCard, gate: Gate, why: string): ModelNetError =>
    new ModelNetError('OVERLOADED', `model ${card.id} ${why}`, {
      details: { retryAfterMs: Math.round(Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, waitMs(card, gate)))) },
    })

  return {
    clock,
    async enter(card, { caller, signal, deadlineMs }) {
      signal?.throwIfAborted()
      const gate = gateOf(card)
      const entered = clock.monotonic()
      if (gate.runningCount < slotsOf(card) && gate.waiting.length === 0) return take(card, gate, caller, entered)
      if (
        deadlineMs !== undefined &&
        waitMs(card, gate, countBefore(gate, caller)) + gate.serviceMs > SAFE_SHARE * deadlineMs
      )
        throw overloaded(card, gate, `cannot do this call within its ${Math.round(deadlineMs)} ms`)
      const { maxQueued = 16 * slotsOf(card) } = options
      if (
        gate.waiting.length >= maxQueued &&
        !makeRoom(gate, caller, evicted => evicted.refuse(overloaded(card, gate, FULL)))
      )
        throw overloaded(card, gate, FULL)
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          const index = gate.waiting.indexOf(waiting)
          if (index >= 0) gate.waiting.splice(index, 1)
          signal?.removeEventListener('abort', onAbort)
        }
        const onAbort = (): void => {
          leave()
          reject(signal?.reason)
        }
        const waiting: Waiting = {
          caller,
          due: entered + (deadlineMs ?? Number.POSITIVE_INFINITY),
          start() {
            leave()
            resolve(take(card, gate, caller, entered))
          },
          refuse(error) {
            leave()
            reject(error)
          },
        }
        gate.waiting.push(waiting)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    status(card) {
      const gate = gates.get(card.id)
      return {
        id: card.id,
        running: gate?.runningCount ?? 0,
        queued: gate?.waiting.length ?? 0,
        slots: slotsOf(card),
        tokensPerSecond: gate?.tokensPerSecond ?? 0,
      }
    },
  }
}

const FULL = 'has a full queue'

const smooth = (average: number, value: number): number =>
  average === 0 ? value : average + SMOOTHING * (value - average)

/** The oldest call of the caller that has the fewest running: callers take turns, whoever asks most. */
function nextOf(gate: Gate): Waiting | undefined {
  let best: Waiting | undefined
  for (const waiting of gate.waiting)
    if (!best || (gate.running.get(waiting.caller) ?? 0) < (gate.running.get(best.caller) ?? 0)) best = waiting
  return best
}

/** Calls that get their turn before another one of this caller, since callers take turns. */
function countBefore(gate: Gate, caller: string): number {
  const counts = countByCaller(gate)
  const own = counts.get(caller) ?? 0
  return [...counts.values()].reduce((sum, count) => sum + Math.min(count, own + 1), 0)
}

function countByCaller(gate: Gate): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { caller } of gate.waiting) counts.set(caller, (counts.get(caller) ?? 0) + 1)
  return counts
}

/** A full queue gives the place of the caller that fills it most to one that has fewer waiting. */
function makeRoom(gate: Gate, caller: string, evict: (waiting: Waiting) => void): boolean {
  const counts = countByCaller(gate)
  const newest = gate.waiting.findLast(waiting => counts.get(waiting.caller) === Math.max(...counts.values()))
  if (!newest || (counts.get(newest.caller) ?? 0) <= (counts.get(caller) ?? 0) + 1) return false
  evict(newest)
  return true
}
