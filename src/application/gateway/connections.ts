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
  const asked = new Map<Socket, IncomingMessage>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    asked.set(socket, request)
    response.once('close', () => {
      if (asked.get(socket) === request) asked.delete(socket)
    })
  })
  return {
    cutUnasked() {
      for (const socket of open) if (!asked.get(socket)?.complete) socket.destroy()
    },
  }
}
