import { ModelNetError } from '../../../utils/errors.ts'

/** The slots of a llama-server: each keeps the KV state of one text. */
export interface ServerSlots {
  /** Lends a slot; undefined when none is free. The one used longest ago comes first. */
  tryTake(): number | undefined
  /** The same, waiting in order of arrival; rejects with the signal's reason. */
  take(signal?: AbortSignal): Promise<number>
  release(slot: number): void
}

export function createServerSlots(count: number): ServerSlots {
  const free = Array.from({ length: count }, (_, slot) => slot)
  const waiting: ((slot: number) => void)[] = []
  return {
    tryTake: () => (waiting.length > 0 ? undefined : free.shift()),
    async take(signal) {
      signal?.throwIfAborted()
      const slot = waiting.length > 0 ? undefined : free.shift()
      if (slot !== undefined) return slot
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(start), 1)
          reject(signal?.reason)
        }
        const start = (given: number): void => {
          signal?.removeEventListener('abort', onAbort)
          resolve(given)
        }
        waiting.push(start)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    release(slot) {
      const next = waiting.shift()
      if (next) next(slot)
      else free.push(slot)
    },
  }
}

export const noSlot = (count: number): ModelNetError =>
  new ModelNetError('OVERLOADED', `all ${count} slots of the server are in use`, { details: { retryAfterMs: 1000 } })
