import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { HOLDERS } from '../../peer-router.ts'

/** A DHT of ModelNet nodes only, used to find the closest peers; nothing is stored in it. */
export function kadRouting(networkName: string | undefined): ReturnType<typeof kadDHT> {
  return kadDHT({
    // Of our own, or the nodes would join the DHT of IPFS.
    protocol: networkName === undefined ? '/modelnet/kad/1.0.0' : `/modelnet/${networkName}/kad/1.0.0`,
    clientMode: false,
    kBucketSize: HOLDERS,
    // The default drops private addresses, with which a network on a LAN stays empty.
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
  })
}
