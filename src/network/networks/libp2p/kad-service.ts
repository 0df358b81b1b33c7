import { type PeerDiscoveryEvents, type PeerInfo, start, stop, type TypedEventTarget } from '@libp2p/interface'
import { type KadDHT, type KadDHTComponents, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { HOLDERS } from '../../peer-router.ts'

export interface StartedKad {
  readonly dht: KadDHT
  stop(): Promise<void>
}

/** The class behind libp2p's interface: what libp2p itself uses of it. */
interface KadClass extends KadDHT, TypedEventTarget<PeerDiscoveryEvents> {
  onPeerConnect(peer: PeerInfo): Promise<void>
}

/**
 * A DHT of ModelNet nodes only, used to find the closest peers; nothing is stored in it. Started on a host that runs,
 * as a node may first learn there that its network is large. Resolves when it routes.
 */
export async function startKad(components: KadDHTComponents, networkName: string | undefined): Promise<StartedKad> {
  const { peerStore, connectionManager } = components
  // Of our own, or the nodes would join the DHT of IPFS.
  const protocol = networkName === undefined ? '/modelnet/kad/1.0.0' : `/modelnet/${networkName}/kad/1.0.0`
  const dht = kadDHT({
    protocol,
    clientMode: false,
    kBucketSize: HOLDERS,
    // Each path asks twenty peers of its own: of libp2p's ten a lookup among 10,000 nodes takes 290 messages, of two 65.
    // Two, so that one liar on the way does not lead the whole search; six at once, so that half may hang.
    disjointPaths: 2,
    alpha: 6,
    // Of the peers that share so many bits with this one k are kept. With libp2p's six two paths find 56 % of the holders
    // of a key among 100,000 nodes, with eight 94 %. More would let the table grow beyond 5,000 peers, all read for each
    // answer (`docs/scale.md`).
    prefixLength: 8,
    // The default drops private addresses, with which a network on a LAN stays empty.
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
  })(components) as KadClass
  // As libp2p does for a service that it starts itself: whom others name can be dialled.
  dht.addEventListener('peer', ({ detail: { id, multiaddrs } }) => {
    if (!id.equals(components.peerId)) peerStore.merge(id, { multiaddrs }).catch(() => undefined) // it is closing
  })
  await start(dht)
  // The DHT hears of peers that connect from now on; these are connected.
  for (const { remotePeer } of connectionManager.getConnections()) {
    const peer = await peerStore.get(remotePeer).catch(() => undefined) // it has gone meanwhile
    if (!peer?.protocols.includes(protocol)) continue
    const multiaddrs = peer.addresses.map(({ multiaddr }) => multiaddr)
    await dht.onPeerConnect({ id: remotePeer, multiaddrs })
  }
  return { dht, stop: () => stop(dht) }
}
