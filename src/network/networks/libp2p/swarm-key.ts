import type { ConnectionProtector, MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { preSharedKey } from '@libp2p/pnet'
import { ModelNetError } from '../../../utils/errors.ts'

/** What everybody who dials says first (multistream-select): its length, its name, the end of the line. */
const HEADER: Uint8Array = new TextEncoder().encode('\x13/multistream/1.0.0\n')

/**
 * Connections that only those can read who share the key. libp2p's own (`@libp2p/pnet`), which cannot tell another key
 * from a slow peer, since all it sees is noise: both sides then wait until their handshakes time out. Here the first
 * bytes of who dials are looked at, and a connection that does not begin as all do is ended at once.
 */
export function protectByKey(swarmKey: string): () => ConnectionProtector {
  const create = preSharedKey({ psk: toPsk(swarmKey) })
  return () => {
    const inner = create()
    return {
      async protect(connection, options) {
        const secret = await inner.protect(connection, options)
        if (connection.direction === 'inbound') await expectHeader(secret, options?.signal)
        return secret
      },
    }
  }
}

/** Resolves when the header has come, and leaves it to be read; ends the connection at the first byte that is another. */
function expectHeader(stream: MessageStream, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const seen: Uint8Array[] = []
    let length = 0
    const stop = (): void => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('close', onClose)
      signal?.removeEventListener('abort', onClose)
    }
    const onMessage = ({ data }: StreamMessageEvent): void => {
      const bytes = data.subarray()
      const expected = HEADER.subarray(length, length + bytes.length)
      seen.push(bytes)
      length += bytes.length
      if (expected.some((byte, index) => byte !== bytes[index])) {
        stop()
        const error = new Error('the peer has another swarm key, or none')
        stream.abort(error)
        reject(error)
      } else if (length >= HEADER.length) {
        stop()
        for (const each of seen.reverse()) stream.unshift(each)
        resolve()
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
