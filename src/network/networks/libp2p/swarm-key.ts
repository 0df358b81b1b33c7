import type { ConnectionProtector, MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { preSharedKey } from '@libp2p/pnet'
import { ModelNetError } from '../../../utils/errors.ts'

/** What everybody who dials says first (multistream-select): its length, its name, the end of the line. */
const HEADER: Uint8Array = new TextEncoder().encode('\x13/multistream/1.0.0\n')

/**
 * Connections that only those can read who share the key. libp2p's own (`@libp2p/pnet`), which cannot tell another key
 * from a slow peer, since all it sees is noise: both sides then wait until their handshakes time out. Here the first
 * bytes of who dials are looked at, and a connection that does not begin as all do is ended at once. And who dials
 * speaks first: what a listener says at once, libp2p's dialler of WebSockets loses when it comes with the answer to the
 * upgrade.
 */
export function protectByKey(swarmKey: string): () => ConnectionProtector {
  const create = preSharedKey({ psk: toPsk(swarmKey) })
  return () => {
    const inner = create()
    return {
      async protect(connection, options) {
        if (connection.direction !== 'inbound') return inner.protect(connection, options)
        await expectBytes(connection, options?.signal)
        const secret = await inner.protect(connection, options)
        await expectHeader(secret, options?.signal)
        return secret
      },
    }
  }
}

/** Resolves when something has come, and leaves it to be read. */
function expectBytes(stream: MessageStream, signal: AbortSignal | undefined): Promise<void> {
  return lookAt(stream, signal, () => true)
}

/** Resolves when the header has come, and leaves it to be read; ends the connection at the first byte that is another. */
function expectHeader(stream: MessageStream, signal: AbortSignal | undefined): Promise<void> {
  let length = 0
  return lookAt(stream, signal, bytes => {
    const expected = HEADER.subarray(length, length + bytes.length)
    length += bytes.length
    if (expected.some((byte, index) => byte !== bytes[index]))
      throw new Error('the peer has another swarm key, or none')
    return length >= HEADER.length
  })
}

/** Reads until `enough` is true of the bytes that have come, and puts them back; ends the stream when it throws. */
function lookAt(
  stream: MessageStream,
  signal: AbortSignal | undefined,
  enough: (bytes: Uint8Array) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const seen: Uint8Array[] = []
    const stop = (): void => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('close', onClose)
      signal?.removeEventListener('abort', onClose)
    }
    const onMessage = ({ data }: StreamMessageEvent): void => {
      const bytes = data.subarray()
      seen.push(bytes)
      try {
        if (!enough(bytes)) return
        stop()
        for (const each of seen.reverse()) stream.unshift(each)
        resolve()
      } catch (error) {
        stop()
        stream.abort(error instanceof Error ? error : new Error(String(error)))
        reject(error)
      }
    }
    const onClose = (): void => {
      stop()
      reject(new Error('the connection ended before its handshake'))
    }
    stream.addEventListener('message', onMessage)
    stream.addEventListener('close', onClose)
    signal?.addEventListener('abort', onClose)
  })
}

/** The key in the file format that libp2p reads. */
function toPsk(swarmKey: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(swarmKey))
    throw new ModelNetError('INVALID_CONFIG', 'a swarm key has 64 hexadecimal digits')
  return new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${swarmKey.toLowerCase()}`)
}
