import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp'
import { ModelNetError } from '../../../utils/errors.ts'

/** A sequence lent to one caller. */
export interface SequenceLease {
  readonly sequence: LlamaContextSequence
  /** Gives it back with its KV state, which the next caller with the same beginning reuses. May be called twice. */
  release(): void
}

/** The sequences of one context: as many texts at once, evaluated together in batches. */
export interface SequencePool {
  readonly size: number
  readonly free: number
  /** Lends the free sequence that holds the longest beginning of the tokens; undefined when none is free. */
  tryTake(tokens: readonly Token[]): SequenceLease | undefined
  /** The same, waiting in order of arrival; rejects with the signal's reason. */
  take(tokens: readonly Token[], signal?: AbortSignal): Promise<SequenceLease>
  /** Lends a free sequence that holds a longer beginning of the tokens instead of this one, where there is one. */
  exchange(lease: SequenceLease, tokens: readonly Token[]): SequenceLease
  /** Rejects those who wait. */
  close(): void
}

export function createSequencePool(context: LlamaContext): SequencePool {
  const size = context.totalSequences
  const idle: LlamaContextSequence[] = Array.from({ length: size }, () => context.getSequence())
  const waiting: { tokens: readonly Token[]; resolve(lease: SequenceLease): void; reject(error: unknown): void }[] = []

  const lend = (tokens: readonly Token[]): SequenceLease | undefined => {
    let best: LlamaContextSequence | undefined
    let bestLength = -1
    // Among equal ones the sequence that waited longest: what was used last is most likely to be asked again.
    for (const sequence of idle) {
      const length = commonPrefix(sequence.contextTokens, tokens)
      if (length > bestLength) {
        best = sequence
        bestLength = length
      }
    }
    if (!best) return undefined
    idle.splice(idle.indexOf(best), 1)
    const sequence = best
    let released = false
    return {
      sequence,
      release() {
        if (released) return
        released = true
        idle.push(sequence)
        const next = waiting[0]
        const lease = next ? lend(next.tokens) : undefined
        if (!next || !lease) return
        waiting.shift()
        next.resolve(lease)
      },
    }
  }

  return {
    size,
    get free() {
      return idle.length
    },
    tryTake: tokens => (waiting.length > 0 ? undefined : lend(tokens)),
    exchange(lease, tokens) {
      const held = commonPrefix(lease.sequence.contextTokens, tokens)
      if (!idle.some(sequence => commonPrefix(sequence.contextTokens, tokens) > held)) return lease
      const better = lend(tokens)
      if (!better) return lease
      lease.release()
      return better
    },
    async take(tokens, signal) {
      signal?.throwIfAborted()
      const lease = waiting.length === 0 ? lend(tokens) : undefined
      if (lease) return lease
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(entry), 1)
          reject(signal?.reason)
        }
        const entry = {
          tokens,
          resolve: (lent: SequenceLease): void => {
            signal?.removeEventListener('abort', onAbort)
            resolve(lent)
          },
          reject(error: unknown): void {
            signal?.removeEventListener('abort', onAbort)
            reject(error)
          },
        }
        waiting.push(entry)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    close() {
      for (const entry of waiting.splice(0))
        entry.reject(new ModelNetError('ENGINE_FAILED', 'the model was unloaded while the call waited'))
    },
  }
}

/** Number of tokens two texts begin with in common. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return index
  return length
}
