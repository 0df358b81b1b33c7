import type { KadDHT } from '@libp2p/kad-dht'
import type { PeerRouter } from '../../peer-router.ts'

export function createKadRouter(dht: () => KadDHT | undefined): PeerRouter {
  return {
    async *find(key, { signal } = {}) {
      const running = dht()
      if (!running) return
      for await (const event of running.getClosestPeers(key, signal ? { signal } : {})) {
        if (event.name === 'PEER_RESPONSE') yield { peer: event.from.toString(), kind: 'near' }
        if (event.name === 'FINAL_PEER') yield { peer: event.peer.id.toString(), kind: 'closest' }
      }
    },
  }
}
