import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  type Ads,
  createAds,
  createFilePeerBook,
  createLanDiscovery,
  createLibp2pNetwork,
  createMembership,
  createNetworkDirectory,
  createPeerLinks,
  createRevocations,
  createRevocationsFile,
  type Identity,
  type Libp2pNetwork,
  type Membership,
  type NetworkDirectory,
  type PeerLinks,
  readRevocations,
  verifyCertificate,
} from '../network/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import type { Random } from '../utils/random.ts'
import type { Closing } from './closing.ts'
import type { NodeConfig } from './config-schema.ts'
import type { NetworkConfig } from './network-schema.ts'
import { permits } from './policy.ts'

/** Nodes on the local network answer the second query of `LanDiscovery`, 250 ms after the first, at the latest. */
const DISCOVER_MS = 500

export interface NodeNetworkComponents {
  readonly identity: Identity
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly closing: Closing
}

/** How one node takes part in its network, as its configuration says. */
export interface NodeNetwork {
  readonly network: Libp2pNetwork
  /** The domain this node is in, by its operator's word; undefined without a certificate. */
  readonly domain: string | undefined
  /** Shares channels with peers. Call once, before the network starts. */
  link(): PeerLinks
  /** Becomes a member, without any model yet. Call once, when the network has started. */
  join(links: PeerLinks): Promise<{ readonly membership: Membership; readonly directory: NetworkDirectory }>
}

/**
 * Puts the network of a node together; starting it is left to the caller. What it opens is closed through `closing`.
 * Rejects with FORBIDDEN when the certificate of the configuration does not admit this node.
 */
export async function createNodeNetwork(components: NodeNetworkComponents, config: NodeConfig): Promise<NodeNetwork> {
  const { identity, clock, logger, closing } = components
  const heard = createRevocationsFile(logger, join(config.dataDir, 'revocations.json'))
  const options = await addHeard(config.network, await heard.load())
  const domain = await readOwnDomain(components, options)
  const network = createLibp2pNetwork({ identity, clock, logger }, toHostOptions(options))
  /** Each peer that connects gets a channel, as a member; in a large network many connect for routing only. */
  let isEager = options.discovery !== 'ads'
  closing.add('the network', () => network.close())

  return {
    network,
    domain,
    link() {
      const { admission, allow } = options
      let keeping = Promise.resolve()
      closing.add('the list of revocations', () => keeping)
      const onRevocations = (lists: readonly string[]): void => {
        keeping = heard.save(lists)
      }
      const links = createPeerLinks(
        { network, clock, logger },
        {
          eager: () => isEager,
          ...((admission || allow) && {
            admission: { ...admission, onRevocations, admits: (node, of) => permits(allow, { node, domain: of }) },
          }),
        },
      )
      closing.add('the links', () => links.close())
      return links
    },
    async join(links) {
      const told = domain ?? options.domain
      const membership = await createMembership(
        {
          ...components,
          network,
          links,
          peerBook: createFilePeerBook({ logger, now: () => clock.now() }, join(config.dataDir, 'peers.json')),
        },
        {
          bootstrap: toBootstrap(options),
          agent: config.name,
          discoverMs: options.mdns ? DISCOVER_MS : 0,
          scope: options.discovery === 'ads' ? 'partners' : 'all',
          ...(told !== undefined && { domain: told }),
        },
      )
      closing.add('the membership', () => membership.close())
      const startAds = async (): Promise<Ads> => {
        isEager = false
        await network.startRouting()
        return createAds({ ...components, links, router: network.router, addresses: () => network.addresses() })
      }
      const directory = createNetworkDirectory(
        { membership, startAds, clock, logger },
        {
          discovery: options.discovery,
          gossipedMembers: options.gossipedMembers,
          ...(told !== undefined && { domain: told }),
        },
      )
      closing.add('the directory', () => directory.close())
      if (options.mdns) {
        const discovery = createLanDiscovery(
          { nodeId: identity.nodeId, addresses: () => network.addresses(), clock, logger },
          { onFound: (nodeId, addresses) => membership.discover(nodeId, addresses), service: toService(options) },
        )
        closing.add('the discovery', () => discovery.close())
      }
      return { membership, directory }
    },
  }
}

/** What operators took back counts although their lists were heard from peers, before a restart. */
async function addHeard(options: NetworkConfig, heard: readonly string[] = []): Promise<NetworkConfig> {
  const { admission } = options
  if (!admission) return options
  const read = await Promise.allSettled(heard.map(jws => readRevocations(jws, admission.operators)))
  const trusted = heard.filter((_, index) => read[index]?.status === 'fulfilled')
  return { ...options, admission: { ...admission, revocations: [...(admission.revocations ?? []), ...trusted] } }
}

/** What the node's own certificate says, checked as others will check it: better told at the start than by silence. */
async function readOwnDomain(
  { identity, clock }: NodeNetworkComponents,
  { admission, domain }: NetworkConfig,
): Promise<string | undefined> {
  if (admission?.certificate === undefined) return undefined
  const { operators, certificate, revocations = [] } = admission
  const certified = await verifyCertificate(certificate, { node: identity.nodeId, operators, clock })
  const known = createRevocations(operators)
  for (const list of revocations) await known.take(list)
  if (known.includes(certified))
    throw new ModelNetError('FORBIDDEN', 'the certificate of this node was taken back by its operator')
  if (domain !== undefined && domain !== certified.domain)
    throw new ModelNetError(
      'INVALID_CONFIG',
      `network.domain is ${domain}, but the certificate of this node says ${certified.domain}`,
    )
  return certified.domain
}

function toHostOptions(options: NetworkConfig): Parameters<typeof createLibp2pNetwork>[1] {
  const { listen, announce, name, swarmKey, relay, relayed, allow } = options
  const nodes = allow?.every(subject => subject.startsWith('12D3KooW')) ? new Set(allow) : undefined
  return {
    listen,
    announce,
    relayed: relayed !== false,
    ...(relay && { relay: {} }),
    ...(name !== undefined && { networkName: name }),
    ...(swarmKey !== undefined && { swarmKey }),
    // Ids are proved by the handshake, domains only afterwards at the door of the links.
    ...(nodes && { allow: (peer: string) => nodes.has(peer) }),
  }
}

/** A node that is reached through relays must be connected to them, as to a bootstrap node. */
const toBootstrap = ({ bootstrap, relayed }: NetworkConfig): readonly string[] =>
  typeof relayed === 'boolean' ? bootstrap : [...new Set([...bootstrap, ...relayed])]

/** Nodes of different networks on one LAN do not hear each other, since none could use what it heard. */
function toService({ name, swarmKey }: NetworkConfig): string {
  if (name === undefined && swarmKey === undefined) return 'modelnet'
  const digest = createHash('sha256')
    .update(`modelnet/lan/1|${name ?? ''}|${swarmKey ?? ''}`)
    .digest('hex')
  return `modelnet-${digest.slice(0, 8)}`
}
