import type { ChildProcess } from 'node:child_process'
import type { Channel } from '../network/index.ts'
import { callOnce, createChannel } from '../network/index.ts'
import type { ModelCard } from '../protocol/index.ts'
import { ModelCardSchema } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { systemClock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import { silentLogger } from '../utils/logger.ts'
import type { Engine, LoadedModel, ModelSpec } from './engine.ts'
import { type InferenceProcessOptions, startInferenceProcess } from './inference-process.ts'
import { createProcessTransport } from './process-transport.ts'
import { createRemoteModel } from './remote-model.ts'
import { withLossAsFailure } from './worker-model.ts'

export interface WorkerEngineOptions {
  /** `auto` uses a GPU where its binary is installed. @default false */
  readonly gpu?: 'auto' | false
  /** Threads of one model. @default 1 for models below 64 MB; else all cores */
  readonly threads?: number
  /** A worker that does not answer a ping for so long while calls run is ended and replaced. @default 30000 */
  readonly hangMs?: number
  /** An inference process started ahead with the same options, which becomes the first worker. @default started with the first model */
  readonly process?: ChildProcess
  readonly clock?: Clock
  readonly logger?: Logger
}

/** An engine whose models run in a process of their own. */
export interface WorkerEngine extends Engine {
  /** Times the worker was lost and started anew. */
  readonly restarts: number
  /** Process id of the worker; undefined while none runs. */
  readonly pid: number | undefined
}

/** More losses than this within a minute, and the engine gives up until the minute has passed. */
const MAX_LOSSES = 3
const LOSS_WINDOW_MS = 60_000
const SHUTDOWN_MS = 5000

/** One life of the worker. */
interface Life {
  readonly worker: ChildProcess
  readonly channel: Channel
  /** Models loaded in this life, or being loaded. */
  readonly loaded: Map<string, Promise<ModelCard>>
}

/**
 * llama.cpp in a worker process: networking keeps its event loop whatever inference does, and the node lives on when
 * native code crashes (`docs/decisions/2026-11-21-inference-in-a-process.md`). A lost worker is started again with its models on the
 * next call; calls in flight end with ENGINE_FAILED.
 */
export function createWorkerEngine(options: WorkerEngineOptions = {}): WorkerEngine {
  const { hangMs = 30_000, clock = systemClock, logger = silentLogger } = options
  const { gpu = false, threads } = options
  const settings: InferenceProcessOptions = { gpu, ...(threads === undefined ? {} : { threads }) }
  let ahead = options.process
  const specs = new Map<string, { readonly spec: ModelSpec; readonly node: string }>()
  const losses: number[] = []
  let life: Life | undefined
  let restarts = 0
  let closed = false

  const start = (): Life => {
    if (closed) throw new ModelNetError('ENGINE_FAILED', 'the inference worker is closed')
    while (losses[0] !== undefined && losses[0] < clock.monotonic() - LOSS_WINDOW_MS) losses.shift()
    if (losses.length >= MAX_LOSSES)
      throw new ModelNetError('ENGINE_FAILED', `the inference worker was lost ${losses.length} times within a minute`)
    const worker = ahead?.connected ? ahead : startInferenceProcess(settings)
    ahead = undefined
    const channel = createChannel(createProcessTransport(worker), { peer: 'local', clock, logger })
    const started: Life = { worker, channel, loaded: new Map() }
    let lastWords = ''
    let exit: object | undefined
    worker.stderr?.on('data', (chunk: Buffer) => {
      lastWords = (lastWords + chunk).slice(-2000)
    })
    worker.on('error', error => logger.error({ error }, 'the inference worker failed'))
    worker.once('exit', (code, signal) => {
      exit = { code, signal }
    })
    // The channel ends before the exit is known: a call made in between must find a new worker.
    void channel.closed.then(() => {
      if (life !== started) return
      life = undefined
      losses.push(clock.monotonic())
      restarts++
      worker.kill('SIGKILL')
      logger.warn({ exit, lastWords }, 'the inference worker was lost')
    })
    return started
  }
  const ensure = async (id: string): Promise<Channel> => {
    const entry = specs.get(id)
    if (!entry) throw new ModelNetError('ENGINE_FAILED', `model ${id} was unloaded`)
    life ??= start()
    const { channel, loaded } = life
    let loading = loaded.get(id)
    if (!loading) {
      loading = loadIn(channel, entry)
      loaded.set(id, loading)
    }
    await loading
    watch(life)
    return channel
  }
  const watched = new WeakSet<Life>()
  /** Pings once after a call began; a worker that does not answer hangs, as its event loop has nothing long to do. */
  const watch = (current: Life): void => {
    if (watched.has(current)) return
    watched.add(current)
    callOnce(current.channel, 'ping', null, { deadlineMs: hangMs })
      .catch(error => {
        if (error.code !== 'DEADLINE_EXCEEDED') return
        logger.error({ hangMs }, 'the inference worker hangs and is ended')
        current.worker.kill('SIGKILL')
      })
      .finally(() => watched.delete(current))
  }

  return {
    name: 'llama.cpp',
    get restarts() {
      return restarts
    },
    get pid() {
      return life?.worker.pid
    },
    async load(spec, { node, signal }) {
      signal?.throwIfAborted()
      if (specs.has(spec.id)) throw new ModelNetError('INVALID_CONFIG', `model ${spec.id} is loaded already`)
      specs.set(spec.id, { spec, node })
      let card: ModelCard
      try {
        life ??= start()
        const loading = loadIn(life.channel, { spec, node }, signal)
        life.loaded.set(spec.id, loading)
        card = await loading
      } catch (error) {
        specs.delete(spec.id)
        life?.loaded.delete(spec.id)
        throw toEngineFailure(error)
      }
      const model = withLossAsFailure(
        createRemoteModel({ card, channel: () => ensure(spec.id), clock }),
        toEngineFailure,
      )
      return {
        ...model,
        async close() {
          if (!specs.delete(spec.id) || !life?.loaded.delete(spec.id)) return
          await callOnce(life.channel, 'unload', { id: spec.id }).catch(() => undefined) // a lost worker has freed it
        },
      } satisfies LoadedModel
    },
    async close() {
      if (closed) return
      closed = true
      const last = life
      life = undefined
      if (!last) return
      await callOnce(last.channel, 'shutdown', null, { deadlineMs: SHUTDOWN_MS }).catch(() => undefined) // ended anyway
      await last.channel.close()
      if (last.worker.exitCode === null) last.worker.kill('SIGKILL')
    },
  }
}

async function loadIn(
  channel: Channel,
  entry: { readonly spec: ModelSpec; readonly node: string },
  signal?: AbortSignal,
): Promise<ModelCard> {
  return ModelCardSchema.parse(await callOnce(channel, 'load', entry, signal ? { signal } : {}))
}

/** Whoever asks a model of this node knows nothing of a channel: a lost worker is a failed engine. */
function toEngineFailure(error: unknown): unknown {
  return error instanceof ModelNetError && error.code === 'PEER_LOST'
    ? new ModelNetError('ENGINE_FAILED', 'the inference worker ended during the call', { cause: error })
    : error
}
