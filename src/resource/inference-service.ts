import type { Llama } from 'node-llama-cpp'
import { z } from 'zod'
import type { CallHandler } from '../network/index.ts'
// Not by the index of the layer: it loads libp2p, which would cost every worker a second of CPU for nothing.
import { createChannel } from '../network/multiplexer.ts'
import { systemClock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { LoadedModel, ModelSpec } from './engine.ts'
import { createLlamaCppEngine } from './engines/llama-cpp.ts'
import type { InferenceProcessOptions } from './inference-process.ts'
import { createModelHandlers } from './model-server.ts'
import { createProcessTransport } from './process-transport.ts'

const LoadBody = z.object({ spec: z.custom<ModelSpec>(), node: z.string() })
const UnloadBody = z.object({ id: z.string() })

/** Serves models to the parent process: loads them, unloads them, and answers calls as a node does for its peers. */
export function serveInference(options: InferenceProcessOptions, llama: Promise<Llama>): void {
  // The node admits no more calls than there are sequences, yet a call that it has cancelled holds its own until the
  // evaluation in progress ends.
  const engine = createLlamaCppEngine({ ...options, llama, sessionsWait: true })
  const models = new Map<string, LoadedModel>()

  /** Loads a model and answers with its card. */
  const load: CallHandler = async function* (body, _call, { signal }) {
    const { spec, node } = LoadBody.parse(body)
    if (models.has(spec.id)) throw new ModelNetError('INVALID_CONFIG', `model ${spec.id} is loaded already`)
    const model = await engine.load(spec, { node, signal })
    models.set(spec.id, model)
    yield model.card
  }

  const unload: CallHandler = async function* (body) {
    const { id } = UnloadBody.parse(body)
    const model = models.get(id)
    models.delete(id)
    await model?.close()
    yield null
  }

  const shutdown: CallHandler = async function* () {
    await engine.close()
    yield null
  }

  /** Shows that the event loop of the worker turns. */
  const ping: CallHandler = async function* () {
    yield null
  }

  createChannel(createProcessTransport(process), {
    handlers: { ...createModelHandlers(() => [...models.values()]), load, unload, shutdown, ping },
    peer: 'local',
    clock: systemClock,
  })
}
