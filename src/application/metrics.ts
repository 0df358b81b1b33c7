import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { NetworkEmbedder } from '../interaction/index.ts'
import type { Directory } from '../network/index.ts'
import { toModelNetError } from '../utils/errors.ts'
import type { Asker } from './gateway/chat.ts'

/** What a node counts, in Prometheus' text form. */
export interface Metrics {
  /** Counts and times every request, and the calls it is made of. */
  measure(ask: Asker): Asker
  /** The same for embeddings; one request is one call. */
  measureEmbeddings(embed: NetworkEmbedder): NetworkEmbedder
  /** Content type and text of the exposition. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>
}

/** Seconds; answers of small models take milliseconds, those of large ones minutes. */
const LATENCY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Load gauges carry the names of the model-server protocol of the Kubernetes inference extension (queued, running). */
export function createMetrics(directory: Directory): Metrics {
  const registers = [new Registry()]
  const registry = registers[0] as Registry // made in the line above
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'modelnet_requests_total',
    help: 'Requests by outcome',
    labelNames: ['code'],
    registers,
  })
  const seconds = new Histogram({
    name: 'modelnet_request_seconds',
    help: 'Time to the whole answer',
    buckets: LATENCY_BUCKETS,
    registers,
  })
  const active = new Gauge({ name: 'modelnet_requests_active', help: 'Requests being answered', registers })
  const tokens = new Counter({ name: 'modelnet_tokens_total', help: 'Tokens by kind', labelNames: ['kind'], registers })
  const calls = new Counter({
    name: 'modelnet_calls_total',
    help: 'Calls of models by outcome',
    labelNames: ['model', 'code'],
    registers,
  })
  const nodes = new Gauge({
    name: 'modelnet_nodes',
    help: 'Nodes this node knows, by state',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      for (const { state } of directory.entries()) this.inc({ state })
    },
  })
  const load = new Gauge({
    name: 'modelnet_model_load',
    help: 'Calls of own models, running and queued',
    labelNames: ['model', 'state'],
    registers,
    collect() {
      for (const model of directory.entries().find(entry => entry.self)?.status?.models ?? []) {
        this.set({ model: model.id, state: 'running' }, model.running)
        this.set({ model: model.id, state: 'queued' }, model.queued)
      }
    },
  })
  void [nodes, load] // registered; they collect themselves

  /** Counts a request as being answered until the returned function says how it ended. */
  const begin = (): ((code: string) => void) => {
    active.inc()
    const stop = seconds.startTimer()
    return code => {
      active.dec()
      stop()
      requests.inc({ code })
    }
  }

  async function* measured(...[request, signal, ask]: [...Parameters<Asker>, Asker]): ReturnType<Asker> {
    const started = new Map<string, string>()
    const end = begin()
    let code = 'CANCELLED' // unless the run ends: a reader that stops early leaves through `finally`
    const run = ask(request, signal)
    try {
      let step = await run.next()
      for (; !step.done; step = await run.next()) {
        const event = step.value
        if (event.type === 'call-start') started.set(event.call, event.model)
        else if (event.type === 'call-end') calls.inc({ model: event.model, code: 'OK' })
        else if (event.type === 'call-fail') calls.inc({ model: started.get(event.call) ?? 'none', code: event.code })
        yield event
      }
      tokens.inc({ kind: 'prompt' }, step.value.usage.promptTokens)
      tokens.inc({ kind: 'completion' }, step.value.usage.completionTokens)
      code = 'OK'
      return step.value
    } catch (error) {
      code = toModelNetError(error).code
      throw error
    } finally {
      end(code)
      await run.return(undefined as never) // frees what runs when the reader stopped early
    }
  }

  const measuredEmbeddings = async (
    ...[embed, model, texts, options]: [NetworkEmbedder, ...Parameters<NetworkEmbedder>]
  ): ReturnType<NetworkEmbedder> => {
    const end = begin()
    try {
      const made = await embed(model, texts, options)
      calls.inc({ model: made.model, code: 'OK' })
      tokens.inc({ kind: 'prompt' }, made.promptTokens)
      end('OK')
      return made
    } catch (error) {
      end(toModelNetError(error).code)
      throw error
    }
  }

  return {
    measure: ask => (request, signal) => measured(request, signal, ask),
    measureEmbeddings:
      embed =>
      (...args) =>
        measuredEmbeddings(embed, ...args),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}
