import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'

/** One exchange with a real server; `chunks` as they arrived. */
interface Exchange {
  readonly status: number
  readonly type: string
  readonly chunks: readonly string[]
}

export interface HttpStandIn {
  readonly url: string
  /** Answers that are being sent. */
  running(): number
  close(): Promise<void>
}

/** Replays what `createRecorder` wrote: the real protocol without the real server. What was not recorded is a 500. */
export async function createReplay(file: string): Promise<HttpStandIn> {
  const recorded = JSON.parse(gunzipSync(await readFile(file)).toString('utf8')) as Record<string, Exchange>
  return listen(async (request, body, response) => {
    const exchange = recorded[keyOf(request, body)]
    if (!exchange) return void response.writeHead(500).end(`not recorded: ${keyOf(request, body).slice(0, 300)}`)
    response.writeHead(exchange.status, { 'content-type': exchange.type })
    for (const chunk of exchange.chunks) {
      if (response.closed) return
      response.write(chunk)
      await new Promise(resolve => setTimeout(resolve, exchange.chunks.length > 1 ? 1 : 0))
    }
    response.end()
  })
}

/** Stands in front of a real server, passes everything on, and writes down what was said on `close`. */
export async function createRecorder(target: string, file: string): Promise<HttpStandIn> {
  const recorded: Record<string, Exchange> = {}
  const pending = new Set<Promise<void>>()
  const standIn = await listen(async (request, body, response) => {
    const answer = await fetch(target + request.url, {
      method: request.method ?? 'GET',
      ...(body ? { body, headers: { 'content-type': 'application/json' } } : {}),
    })
    const type = answer.headers.get('content-type') ?? ''
    response.writeHead(answer.status, { 'content-type': type })
    const chunks: string[] = []
    const decoder = new TextDecoder()
    const copying = (async () => {
      // To the end also when the client has left, so that every recording is whole.
      for await (const chunk of answer.body ?? []) {
        chunks.push(decoder.decode(chunk, { stream: true }))
        if (!response.closed) response.write(chunk)
      }
      recorded[keyOf(request, body)] ??= { status: answer.status, type, chunks: splitEvents(chunks.join('')) }
      response.end()
    })()
    pending.add(copying)
    await copying
  })
  return {
    ...standIn,
    async close() {
      await Promise.allSettled(pending)
      await standIn.close()
      await writeFile(file, gzipSync(JSON.stringify(recorded), { level: 9 }))
    },
  }
}

/** Slots are given out in the order of arrival, which is not the same twice. */
const keyOf = (request: IncomingMessage, body: string): string =>
  `${request.method} ${request.url} ${body.replace(/,"id_slot":\d+/, '')}`

const splitEvents = (text: string): readonly string[] => (text.startsWith('data:') ? text.split(/(?<=\n\n)/) : [text])

async function listen(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => Promise<void>,
): Promise<HttpStandIn> {
  let running = 0
  const server = createServer(async (request, response) => {
    running++
    response.once('close', () => running--)
    let body = ''
    for await (const chunk of request) body += chunk
    await answer(request, body, response).catch(error => response.destroy(error))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server has one
  return {
    url: `http://127.0.0.1:${port}`,
    running: () => running,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
