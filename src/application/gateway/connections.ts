import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server, by whether an answer is due on them. */
export interface Connections {
  /** Ends those on which nothing was asked yet, or not to the end; Node's `closeIdleConnections` spares them. */
  cutUnasked(): void
}

/** To be called before the server listens. */
export function watchConnections(server: Server): Connections {
  const open = new Set<Socket>()
  /** Not answered yet; one connection may have several, as clients may send the next before the answer. */
  const requests = new Set<IncomingMessage>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.add(request)
    response.once('close', () => requests.delete(request))
  })
  return {
    cutUnasked() {
      const asked = new Set([...requests].filter(({ complete }) => complete).map(({ socket }) => socket))
      for (const socket of open) if (!asked.has(socket)) socket.destroy()
    },
  }
}
