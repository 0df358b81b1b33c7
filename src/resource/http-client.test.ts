import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttpClient } from './http-client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

async function serve(answer: RequestListener): Promise<{ readonly url: string; readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer(answer).on('connection', socket => sockets.add(socket))
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, sockets }
}

async function collect(events: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = []
  for await (const event of events) found.push(event)
  return found
}

describe('HttpClient', () => {
  it('keeps the connection of a stream that came to its end', async () => {
    const open: ServerResponse[] = []
    const { url, sockets } = await serve((request, response) => {
      open.push(response)
      request.resume().on('end', () => response.write('data: a\n\ndata: [DONE]\n\n'))
    })
    const http = createHttpClient({ url })
    for (let round = 0; round < 5; round++) {
      expect(await collect(http.events('/', {}))).toEqual(['a'])
      open.pop()?.end()
    }
    expect([...sockets].filter(socket => socket.destroyed)).toEqual([])
    await http.close()
  })

  it('ends with [DONE] although the server keeps the answer open, and ends the request of a reader that stops', async () => {
    const closed: Promise<void>[] = []
    const { url } = await serve((request, response) => {
      closed.push(new Promise(resolve => response.once('close', resolve)))
      request.resume().on('end', () => response.write('data: a\n\ndata: b\n\ndata: [DONE]\n\n'))
    })
    const http = createHttpClient({ url })
    expect(await collect(http.events('/', {}))).toEqual(['a', 'b'])
    for await (const event of http.events('/', {})) {
      expect(event).toBe('a')
      break
    }
    await closed[1]
    await http.close()
    await closed[0]
  })
})
