import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, expect, it } from 'vitest'
import { ConfigSchema } from '../src/application/config-schema.ts'
import { createNode, type Node } from '../src/application/node.ts'
import { createTracing } from '../src/application/tracing.ts'

const cleaning: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleaning.splice(0).toReversed()) await clean()
})

it('one trace follows a request from the gateway to the model on the other node', async () => {
  const spans = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const directory = await mkdtemp(join(tmpdir(), 'modelnet-tracing-'))
  cleaning.push(() => rm(directory, { recursive: true }))
  const start = async (name: string, settings: object): Promise<Node> => {
    const config = ConfigSchema.parse({
      name,
      dataDir: join(directory, name),
      gateway: { port: 0 },
      network: { mdns: false, ...settings },
      models: name === 'holder' ? [{ shipped: 'geography' }] : [],
    })
    const node = await createNode(config, { tracing: createTracing(provider.getTracer(name)) })
    cleaning.push(() => node.close())
    return node
  }
  const holder = await start('holder', {})
  const asker = await start('asker', { bootstrap: holder.addresses })
  while (asker.directory.entry(holder.id)?.cards.length !== 1) await new Promise(resolve => setTimeout(resolve, 20))

  const response = await fetch(`${asker.gatewayUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'modelnet/geography',
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
    }),
  })
  expect(response.status).toBe(200)
  const finished = spans.getFinishedSpans()
  const named = (name: string, tracer: string) =>
    finished.filter(span => span.name === name && span.instrumentationScope.name === tracer)
  const [request] = named('modelnet.request', 'asker')
  const [call] = named('modelnet.call', 'asker')
  const [served] = named('modelnet.serve', 'holder')
  expect(call?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
  expect(served?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId)
  expect(new Set(finished.map(span => span.spanContext().traceId)).size).toBe(1)
  expect(served?.attributes).toMatchObject({ 'modelnet.model': 'modelnet/geography', 'modelnet.caller': asker.id })
})
