import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hashedVector } from '../../src/testing/hashed-vector.ts'
import type { HttpStandIn } from './recorded-server.ts'

/** Before an answer of many texts, so that it can be aborted in its middle. */
const DELAY_MS = 20
const MANY = 20

/** A server that makes embeddings as llama-server and OpenAI do, and passes all else on to another one. */
export async function createEmbeddingEndpoint(behind: () => string): Promise<HttpStandIn> {
  let running = 0
  const server = createServer(async (request, response) => {
    running++
    response.once('close', () => running--)
    let body = ''
    for await (const chunk of request) body += chunk
    if (!request.url?.endsWith('/embeddings')) {
      const answer = await fetch(behind() + request.url, { method: request.method ?? 'GET', ...(body && { body }) })
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
      for await (const chunk of answer.body ?? []) response.write(chunk)
      return void response.end()
    }
    const { input } = JSON.parse(body) as { input: readonly string[] } // our own engines ask
    if (input.length > MANY) await new Promise(resolve => setTimeout(resolve, DELAY_MS))
    // in another order than asked: the index counts
    const data = input
      .map((text, index) => ({ object: 'embedding', index, embedding: hashedVector(text) }))
      .toReversed()
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ object: 'list', data, usage: { prompt_tokens: input.length * 3 } }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    running: () => running,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
