import type { Directory } from '../network/index.ts'
import type { Clock } from '../utils/clock.ts'

export interface CircuitBreakerOptions {
  /** Failures in a row that open a circuit. @default 3 */
  readonly failures?: number
  /** Milliseconds a circuit stays open the first time. @default 1000 */
  readonly openMs?: number
  /** Every failed trial doubles the time, up to this. @default 30_000 */
  readonly maxOpenMs?: number
}

export type CircuitState = 'closed' | 'open' | 'half-open'

/**
 * Keeps calls away from what keeps failing. One circuit per name (`model@node`): closed, then open for a while after
 * failures in a row, then half-open: one trial call decides. Only faults of the server may be reported as failures.
 */
export interface CircuitBreakers {
  state(name: string): CircuitState
  /** Asks for leave to call: false while the circuit is open, or half-open with a trial on its way. */
  enter(name: string): boolean
  succeed(name: string): void
  fail(name: string): void
  /** The call ended without saying anything about the server: cancelled, refused as busy, or the caller's own fault. */
  leave(name: string): void
  /** Closes the circuits of every model at a node: it has come back, and what failed before it went says nothing now. */
  forget(nodeId: string): void
}

interface Circuit {
  failures: number
  openMs: number
  /** Monotonic milliseconds until which no call is let through; 0 while closed. */
  openUntil: number
  /** Monotonic milliseconds of the trial on its way. */
  trialAt: number | undefined
}

/** A trial nobody reported on is forgotten after so long, or a lost caller would keep the circuit shut for good. */
const TRIAL_TIMEOUT_MS = 30_000

export function createCircuitBreakers(
  { clock }: { readonly clock: Clock },
  options: CircuitBreakerOptions = {},
): CircuitBreakers {
  const { failures: limit = 3, openMs = 1000, maxOpenMs = 30_000 } = options
  const circuits = new Map<string, Circuit>()

  const stateOf = (circuit: Circuit | undefined): CircuitState => {
    if (!circuit || circuit.openUntil === 0) return 'closed'
    return clock.monotonic() < circuit.openUntil ? 'open' : 'half-open'
  }
  const hasTrial = ({ trialAt }: Circuit): boolean =>
    trialAt !== undefined && clock.monotonic() - trialAt < TRIAL_TIMEOUT_MS

  return {
    state: name => stateOf(circuits.get(name)),
    enter(name) {
      const circuit = circuits.get(name)
      const state = stateOf(circuit)
      if (!circuit || state === 'closed') return true
      if (state === 'open' || hasTrial(circuit)) return false
      circuit.trialAt = clock.monotonic()
      return true
    },
    succeed(name) {
      circuits.delete(name)
    },
    fail(name) {
      const circuit = circuits.get(name) ?? { failures: 0, openMs, openUntil: 0, trialAt: undefined }
      const state = stateOf(circuit)
      circuits.set(name, circuit)
      circuit.failures++
      circuit.trialAt = undefined
      if (state === 'closed' && circuit.failures < limit) return
      // calls that were on their way when the circuit opened do not prolong it; a failed trial does
      if (state === 'open') return
      if (state === 'half-open') circuit.openMs = Math.min(maxOpenMs, circuit.openMs * 2)
      circuit.openUntil = clock.monotonic() + circuit.openMs
    },
    leave(name) {
      const circuit = circuits.get(name)
      if (circuit) circuit.trialAt = undefined
    },
    forget(nodeId) {
      for (const name of [...circuits.keys()]) if (name.endsWith(`@${nodeId}`)) circuits.delete(name)
    },
  }
}

/** Forgets the failures of nodes that left, and of those that were lost and live again. The returned function ends that. */
export function forgetReturned(directory: Directory, breakers: CircuitBreakers): () => void {
  const lost = new Set<string>()
  return directory.onChange(({ type, nodeId }) => {
    if (type === 'node-suspect') {
      lost.add(nodeId)
      return
    }
    const isBack = lost.has(nodeId) && directory.entry(nodeId)?.state === 'alive'
    if (type === 'node-update' && !isBack) return
    lost.delete(nodeId)
    breakers.forget(nodeId)
  })
}
