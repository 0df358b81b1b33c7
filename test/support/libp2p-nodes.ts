import {
  createIdentity,
  createLibp2pNetwork,
  createMembership,
  createPeerLinks,
  type Identity,
  type Libp2pNetworkOptions,
  type Membership,
  type MembershipOptions,
  type Network,
  type NodeState,
  type PeerLinks,
} from '../../src/network/index.ts'
import type { ModelCard } from '../../src/protocol/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { silentLogger } from '../../src/utils/logger.ts'
import { createRandom } from '../../src/utils/random.ts'

/** A node of the network layer: no models behind its cards. */
export interface Node {
  readonly identity: Identity
  readonly network: Network
  readonly links: PeerLinks
  readonly membership: Membership
  /** Ends like a process that is killed: nobody is told. */
  kill(): Promise<void>
  close(): Promise<void>
}

const nodes: Node[] = []

/** Closes all nodes that a test has started. */
export async function closeNodes(): Promise<void> {
  await Promise.all(nodes.splice(0).map(node => node.close()))
}

export const cardOf = (node: string, id: string): ModelCard => {
  const issuedAt = Math.floor(Date.now() / 1000)
  return {
    version: 1,
    id,
    node,
    description: `what ${id} can do`,
    tags: ['skill:test'],
    capabilities: ['generate'],
    contextLength: 512,
    engine: 'scripted',
    issuedAt,
    expiresAt: issuedAt + 3600,
  }
}

export interface StartOptions extends MembershipOptions {
  readonly identity?: Identity
  readonly network?: Libp2pNetworkOptions
}

export async function startNode(name: string, options: StartOptions = {}): Promise<Node> {
  const { identity = createIdentity(), ...rest } = options
  const components = { clock: systemClock, logger: silentLogger, identity }
  const network = createLibp2pNetwork(components, { listen: ['/ip4/127.0.0.1/tcp/0'], ...options.network })
  await network.start()
  const links = createPeerLinks({ ...components, network })
  const membership = await createMembership(
    { ...components, network, links, random: createRandom(name) },
    { cards: [cardOf(identity.nodeId, name)], ...rest },
  )
  const node: Node = {
    identity,
    network,
    links,
    membership,
    async kill() {
      // The connections fall first, so that the goodbye of what follows reaches nobody.
      await network.close()
      await node.close()
    },
    async close() {
      await membership.close()
      await links.close()
      await network.close()
    },
  }
  nodes.push(node)
  return node
}

type Nodes = readonly [Node, Node, Node, Node, ...Node[]]

/** Nodes that know the first one; at least as many as the test names. */
export async function startNodes(count: number, options: StartOptions = {}): Promise<Nodes> {
  const first = await startNode('node-0', options)
  const bootstrap = [...first.network.addresses()]
  const others = await Promise.all(
    Array.from({ length: count - 1 }, (_, index) => startNode(`node-${index + 1}`, { ...options, bootstrap })),
  )
  // Padded in type only: tests name the first few.
  return [first, ...others] as unknown as Nodes
}

/**
 * Tests run beside other work, on machines with few cores, so they wait longer than a network needs by itself;
 * `benchmarks/network/liveness.ts` measures that.
 */
const PATIENCE = 6

/** Resolves, with the milliseconds it took, when the condition holds; looked at whenever a directory changes. */
export async function until(
  what: string,
  members: readonly Node[],
  condition: () => boolean,
  withinMs: number,
): Promise<number> {
  const limitMs = withinMs * PATIENCE
  const start = performance.now()
  while (!condition()) {
    const left = limitMs - (performance.now() - start)
    if (left <= 0) throw new Error(`${what}: not within ${limitMs} ms`)
    const stops: (() => void)[] = []
    const timeout = AbortSignal.timeout(Math.min(Math.ceil(left), 100))
    await new Promise<void>(resolve => {
      for (const { membership } of members) stops.push(membership.onChange(() => resolve()))
      timeout.addEventListener('abort', () => resolve(), { once: true })
    })
    for (const stop of stops) stop()
  }
  return performance.now() - start
}

export const sees = (node: Node, other: Node): boolean => {
  const entry = node.membership.entry(other.identity.nodeId)
  return entry?.state === 'alive' && entry.cards.length === 1
}
export const allSee = (members: readonly Node[]): boolean =>
  members.every(node => members.every(other => node === other || sees(node, other)))
export const states = (members: readonly Node[], of: Node): readonly (NodeState | undefined)[] =>
  members.map(node => node.membership.entry(of.identity.nodeId)?.state)

/** Where the node can be dialled, without its id. */
export const addressOf = (node: Node): string => node.network.addresses()[0]?.split('/p2p/')[0] ?? ''
