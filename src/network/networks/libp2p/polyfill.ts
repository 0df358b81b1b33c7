import { WebSocket } from 'ws'

/**
 * js-libp2p and its dependencies use `Promise.withResolvers` and the global `WebSocket`, which Node 20 lacks; this
 * room is imported before any of them.
 */
interface Resolvers<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T | PromiseLike<T>) => void
  readonly reject: (reason?: unknown) => void
}

function withResolvers<T>(this: PromiseConstructor): Resolvers<T> {
  let settle: Omit<Resolvers<T>, 'promise'> | undefined
  const promise = new this<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // The executor ran inside the constructor, so `settle` is set.
  return { promise, ...(settle as Omit<Resolvers<T>, 'promise'>) }
}

if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', { value: withResolvers, configurable: true, writable: true })
}

if (!('WebSocket' in globalThis)) {
  Object.defineProperty(globalThis, 'WebSocket', { value: WebSocket, configurable: true, writable: true })
}
