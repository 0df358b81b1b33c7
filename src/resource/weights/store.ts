import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { WeightsCache } from './cache.ts'
import { fetchWeights, type WeightsHolder } from './fetch.ts'
import { MAX_WEIGHTS_BYTES, type WeightsName } from './manifest.ts'

/** Weights that lie on this node's disk now. */
interface ObtainedWeights {
  readonly file: string
  /** Bytes that came from peers; 0 when they were here already. */
  readonly movedBytes: number
  /** They are no longer used. May be called twice. */
  release(): void
}

/** Weights by digest, wherever they come from: a file of this node, the cache, or peers. */
export interface WeightsStore {
  /** The local file, if there is one. */
  find(digest: string): Promise<string | undefined>
  /** The weights on this disk. Those who want the same at once share one transfer. */
  obtain(weights: WeightsName, signal: AbortSignal): Promise<ObtainedWeights>
  /** Cached weights that an engine refused: they are fetched anew next time. */
  discard(digest: string): Promise<void>
}

export interface WeightsStoreComponents {
  readonly cache: WeightsCache
  /** Files of this node's operator by digest: used where they lie, never copied or removed. */
  readonly own: () => ReadonlyMap<string, string>
  /** Peers that may have these weights, the likeliest first. */
  readonly holders: (digest: string) => readonly WeightsHolder[]
  readonly clock: Clock
  readonly logger: Logger
}

export function createWeightsStore(components: WeightsStoreComponents): WeightsStore {
  const { cache, own, holders, clock, logger } = components
  const fetching = new Map<string, Promise<{ readonly file: string; readonly movedBytes: number }>>()
  /** One after another, so that two do not count on the same room. */
  let making: Promise<unknown> = Promise.resolve()

  const find = async (digest: string): Promise<string | undefined> => own().get(digest) ?? (await cache.find(digest))

  const fetch = async (
    weights: WeightsName,
    signal: AbortSignal,
  ): Promise<{ readonly file: string; readonly movedBytes: number }> => {
    const present = await find(weights.digest)
    if (present !== undefined) return { file: present, movedBytes: 0 }
    if (weights.bytes > MAX_WEIGHTS_BYTES)
      throw new ModelNetError('PAYLOAD_TOO_LARGE', `weights of ${weights.bytes} bytes are not sent between nodes`)
    const begun = making.then(() => cache.begin(weights))
    making = begun.catch(() => undefined)
    const part = await begun
    const started = clock.monotonic()
    const movedBytes = await fetchWeights(weights, holders(weights.digest), part, { clock, logger, signal })
    const ms = Math.round(clock.monotonic() - started)
    logger.info({ digest: weights.digest, bytes: weights.bytes, movedBytes, ms }, 'weights have arrived')
    return { file: await cache.commit(weights.digest), movedBytes }
  }

  return {
    find,
    async obtain(weights, signal) {
      const { digest } = weights
      const release = cache.pin(digest)
      try {
        const shared = fetching.get(digest) ?? fetch(weights, signal).finally(() => fetching.delete(digest))
        fetching.set(digest, shared)
        return { ...(await shared), release }
      } catch (error) {
        release()
        throw error
      }
    },
    discard: digest => cache.discard(digest),
  }
}
