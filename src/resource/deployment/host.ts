import { type CallHandlers, TokenBuckets } from '../../network/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { isModelNetError, ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { Devices } from '../devices.ts'
import type { ModelSpec } from '../engine.ts'
import { freeFor, type HeldMemory } from '../placement.ts'
import type { WeightsStore } from '../weights/store.ts'
import { type Catalogue, type DeployableModel, needOf, toSpec } from './catalogue.ts'
import { type Bid, DEPLOY_METHODS, DeployBodySchema, readDeploy, type Started } from './messages.ts'

/** The running models of this node, as deployment needs them. */
export interface ModelRunner {
  isRunning(id: string): boolean
  /** Loads, tests and announces a model. */
  start(spec: ModelSpec, signal: AbortSignal): Promise<void>
  /** Announces that it is gone, lets its calls finish and frees it. */
  stop(id: string): Promise<void>
  /** Milliseconds since its last call; 0 while one runs. */
  idleMs(id: string): number
  /** Calls running and waiting at all models. */
  calls(): number
}

export interface DeploymentHostComponents {
  readonly catalogue: Catalogue
  readonly store: WeightsStore
  readonly runner: ModelRunner
  readonly memory: () => Devices['memory']
  readonly clock: Clock
  readonly logger: Logger
}

export interface DeploymentHostOptions {
  /** Start models when asked. */
  readonly allow: boolean
  /** Memory of all deployed models together. */
  readonly budgetBytes: number
  /** A deployed model nobody asked for so long is stopped. */
  readonly idleMs: number
}

/** Starts models on this node for whoever may ask, and stops them when nobody does. */
export interface DeploymentHost {
  readonly handlers: CallHandlers
  bid(id: string, digest: string): Promise<Bid>
  /**
   * Resolves when the model runs; those who ask at once share one start. Rejects with FORBIDDEN where the operator does
   * not allow it, MODEL_NOT_FOUND for what this node never heard of, and OVERLOADED when memory does not suffice.
   */
  start(id: string, digest: string): Promise<Started>
  /** Models that were deployed here and run, with the memory counted for them. */
  deployed(): ReadonlyMap<string, HeldMemory>
  /** Stops starting and stopping; what runs goes on. */
  close(): Promise<void>
}

/** Starts and bids that one peer may ask for. */
const REQUESTS = { burst: 64, perSecond: 2 }
const MAX_IDLE_CHECK_MS = 10_000

export function createDeploymentHost(
  components: DeploymentHostComponents,
  options: DeploymentHostOptions,
): DeploymentHost {
  const { catalogue, store, runner, memory, clock, logger } = components
  const { allow, budgetBytes, idleMs } = options
  const closing = new AbortController()
  const requests = new TokenBuckets(clock, REQUESTS)
  const held = new Map<string, HeldMemory>()
  const releases = new Map<string, () => void>()
  const starting = new Map<string, Promise<Started>>()

  const freeBytes = (): number => freeFor({ ...memory(), budgetBytes, held: [...held.values()] })

  const find = (id: string, digest: string): DeployableModel => {
    const model = catalogue.find(id)
    if (model?.id !== id) throw new ModelNetError('MODEL_NOT_FOUND', `this node never heard of a model ${id}`)
    if (model.digest !== digest)
      throw new ModelNetError('FORBIDDEN', `this node knows ${id} by other weights: ${model.digest}`)
    return model
  }

  const forget = (id: string): void => {
    held.delete(id)
    releases.get(id)?.()
    releases.delete(id)
  }

  /** Runs it from local weights; cached ones that the engine refuses are fetched once more. */
  const run = async (model: DeployableModel, again = true): Promise<Started> => {
    const obtained = await store.obtain(model, closing.signal)
    releases.set(model.id, obtained.release)
    try {
      await runner.start(toSpec(model, obtained.file), closing.signal)
      return { movedBytes: obtained.movedBytes }
    } catch (error) {
      obtained.release()
      if (!again || obtained.movedBytes > 0 || !isModelNetError(error) || error.code !== 'INVALID_MODEL_FILE')
        throw error
      logger.warn({ model: model.id, reason: error.message }, 'cached weights are not what they were')
      await store.discard(model.digest)
      return run(model, false)
    }
  }

  const begin = async (model: DeployableModel, bytes: number): Promise<Started> => {
    const began = clock.monotonic()
    try {
      const started = await run(model)
      held.set(model.id, { bytes, loaded: true })
      logger.info({ model: model.id, ms: Math.round(clock.monotonic() - began), ...started }, 'a model was deployed')
      return started
    } catch (error) {
      forget(model.id)
      throw error
    } finally {
      starting.delete(model.id)
    }
  }

  const start = async (id: string, digest: string): Promise<Started> => {
    closing.signal.throwIfAborted()
    if (!allow) throw new ModelNetError('FORBIDDEN', 'this node does not start models for others (`deploy.allow`)')
    const model = find(id, digest)
    const pending = starting.get(id)
    if (pending !== undefined) return pending
    if (runner.isRunning(id)) return { movedBytes: 0 }
    const bytes = needOf(model)
    const free = freeBytes()
    if (bytes > free)
      throw new ModelNetError('OVERLOADED', `${id} takes ${bytes} bytes of memory, this node has ${free} to give`)
    // From here to the map nothing waits: two models never count on the same memory.
    held.set(id, { bytes, loaded: false })
    const begun = begin(model, bytes)
    starting.set(id, begun)
    return begun
  }

  const bid = async (id: string, digest: string): Promise<Bid> => {
    const known = catalogue.find(id)
    const willing = allow && !closing.signal.aborted && known?.id === id && known.digest === digest
    return {
      willing,
      running: runner.isRunning(id),
      // Weights on their way count, so that whoever asks meanwhile comes here, too, and shares the start.
      cached: willing && (starting.has(id) || (await store.find(digest)) !== undefined),
      freeBytes: willing ? freeBytes() : 0,
      load: runner.calls(),
    }
  }

  const stopIdle = async (): Promise<void> => {
    const idle = [...held].filter(
      ([id, { loaded }]) => loaded && (!runner.isRunning(id) || runner.idleMs(id) >= idleMs),
    )
    for (const [id] of idle) {
      await runner.stop(id)
      forget(id)
      logger.info({ model: id, idleMs }, 'a deployed model was idle and is stopped')
    }
  }

  const watch = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await clock.sleep(Math.min(MAX_IDLE_CHECK_MS, idleMs / 4), closing.signal)
      await stopIdle().catch(error => logger.warn({ reason: String(error) }, 'an idle model did not stop'))
    }
  }
  watch().catch(() => undefined) // closing

  const guard = (peer: string): void => {
    if (!requests.of(peer).take()) throw new ModelNetError('OVERLOADED', `${peer} asks for too many deployments`)
  }

  return {
    bid,
    start,
    deployed: () => new Map([...held].filter(([, { loaded }]) => loaded)),
    handlers: {
      async *[DEPLOY_METHODS.bid](body, _call, { peer }) {
        guard(peer)
        const { id, digest } = readDeploy(DeployBodySchema, body, 'INVALID_REQUEST')
        yield await bid(id, digest)
      },
      async *[DEPLOY_METHODS.start](body, _call, { peer }) {
        guard(peer)
        const { id, digest } = readDeploy(DeployBodySchema, body, 'INVALID_REQUEST')
        yield await start(id, digest)
      },
    },
    async close() {
      closing.abort(new ModelNetError('CANCELLED', 'this node is closing'))
      await Promise.allSettled([...starting.values()])
    },
  }
}
