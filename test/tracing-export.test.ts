import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask, eventually, type NodeProcess, peersOf, startNode } from './support/processes.ts'

interface ReceivedSpan {
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
}

/** What an OTLP exporter posts as JSON, as far as it is looked at. */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
    }
    readonly scopeSpans: readonly { readonly spans: readonly Omit<ReceivedSpan, 'service'>[] }[]
  }[]
}

const received: ReceivedSpan[] = []
const collector = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  for (const { resource, scopeSpans } of (JSON.parse(body) as Export).resourceSpans) {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? ''
    for (const { spans } of scopeSpans) received.push(...spans.map(span => ({ ...span, service })))
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})
const nodes: NodeProcess[] = []
beforeAll(() => new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve)))
afterAll(async () => {
  await Promise.all(nodes.map(node => node.stop()))
  collector.close().closeAllConnections()
})

it('sends one trace of a request from both nodes to a collector, each under its service name', async () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  const environment = (service: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_SERVICE_NAME: service,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  })
  const holder = await startNode(['--model', 'geography'], environment('holder'))
  nodes.push(holder)
  const asked = await startNode(['--bootstrap', holder.addresses[0] ?? ''], environment('gateway'))
  nodes.push(asked)
  await eventually(
    () => peersOf(asked),
    ({ nodes }) => nodes.some(({ node, models }) => node === holder.node && models.length > 0),
  )
  expect((await ask(asked.gateway, 'What is the capital of France?', 'geography')).status).toBe(200)
  const find = (service: string, name: string): ReceivedSpan | undefined =>
    received.find(span => span.service === service && span.name === name)
  await eventually(
    async () => find('gateway', 'modelnet.call')?.spanId,
    id => id !== undefined && find('holder', 'modelnet.serve')?.parentSpanId === id,
  )
  const [request, served] = [find('gateway', 'modelnet.request'), find('holder', 'modelnet.serve')]
  expect(served?.traceId).toBe(request?.traceId)
  expect(find('gateway', 'modelnet.call')?.parentSpanId).toBe(request?.spanId)
})
