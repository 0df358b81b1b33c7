import { createHash, KeyObject, verify as verifyOnThisThread, type webcrypto } from 'node:crypto'
import { type ManualClock, settle } from '../../src/testing/manual-clock.ts'

interface Sleeper {
  readonly at: number
  wake: (() => void) | undefined
}

/**
 * A manual clock for tens of thousands of sleepers: a heap instead of a scan, and all who wake in the same millisecond
 * wake together. Sleeps are rounded up to whole milliseconds.
 */
export function createSimulatedClock(start: number = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0
  const queues = new Map<number, Sleeper[]>()
  const times: number[] = [] // a binary heap of the keys of `queues`

  const add = (sleeper: Sleeper): void => {
    const queue = queues.get(sleeper.at)
    if (queue) return void queue.push(sleeper)
    queues.set(sleeper.at, [sleeper])
    push(times, sleeper.at)
  }

  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = (): void => {
          sleeper.wake = undefined
          reject(signal?.reason)
        }
        const sleeper: Sleeper = {
          at: elapsed + Math.max(0, Math.ceil(ms)),
          wake() {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        add(sleeper)
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
    async advance(ms) {
      const until = elapsed + ms
      await settle()
      for (let next = times[0]; next !== undefined && next <= until; next = times[0]) {
        elapsed = next
        pop(times)
        const due = queues.get(next) ?? []
        queues.delete(next)
        let woken = 0
        for (const sleeper of due) {
          if (!sleeper.wake) continue
          sleeper.wake()
          woken++
        }
        if (woken > 0) await settle()
      }
      elapsed = until
    },
    get sleepers() {
      return [...queues.values()].flat().filter(sleeper => sleeper.wake).length
    },
  }
}

/**
 * Makes this process deterministic: `AbortSignal.timeout` counts on the given clock, and WebCrypto verifies and hashes
 * on this thread, so that time never passes while a signature is being checked. A signature that was checked once is
 * remembered by the process, since thousands of simulated nodes check the same ones, and so are their keys;
 * `verifications` counts them all.
 */
export function stopRealTime(clock: ManualClock): { verifications(): number } {
  AbortSignal.timeout = ms => {
    const controller = new AbortController()
    void clock.sleep(ms).then(() => controller.abort(new DOMException('timed out', 'TimeoutError')))
    return controller.signal
  }
  let count = 0
  const known = new Map<string, boolean>()
  const subtle = crypto.subtle
  subtle.verify = async (_algorithm, key, signature, data) => {
    count++
    const [signed, text] = [toBuffer(signature), toBuffer(data)]
    const name = createHash('sha256').update(signed).update(text).digest('base64')
    const before = known.get(name)
    if (before !== undefined) return before
    const isRight = verifyOnThisThread(null, text, KeyObject.from(key), signed)
    if (known.size > 200_000) known.clear()
    known.set(name, isRight)
    return isRight
  }
  const keys = new Map<string, webcrypto.CryptoKey>()
  const importKey = subtle.importKey.bind(subtle) as (...parameters: unknown[]) => Promise<webcrypto.CryptoKey>
  const importOnce = async (...parameters: unknown[]): Promise<webcrypto.CryptoKey> => {
    const [format] = parameters
    if (format !== 'jwk') return importKey(...parameters)
    const name = JSON.stringify(parameters)
    const key = keys.get(name) ?? (await importKey(...parameters))
    keys.set(name, key)
    return key
  }
  subtle.importKey = importOnce as typeof subtle.importKey
  subtle.digest = async (_algorithm, data) => {
    const hash = createHash('sha256').update(toBuffer(data)).digest()
    return Uint8Array.from(hash).buffer
  }
  return { verifications: () => count }
}

const toBuffer = (data: webcrypto.BufferSource): Buffer =>
  data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)

function push(heap: number[], value: number): void {
  heap.push(value)
  for (let at = heap.length - 1; at > 0; ) {
    const up = (at - 1) >> 1
    if ((heap[up] as number) <= value) break
    heap[at] = heap[up] as number
    heap[up] = value
    at = up
  }
}

function pop(heap: number[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    let down = 2 * at + 1
    if (down >= heap.length) break
    if (down + 1 < heap.length && (heap[down + 1] as number) < (heap[down] as number)) down++
    if ((heap[down] as number) >= last) break
    heap[at] = heap[down] as number
    at = down
  }
  heap[at] = last
}
