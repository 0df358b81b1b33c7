import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { createIdentity, type Identity } from '../identity.ts'
import { createLinkedStreams, type Schedule } from '../linked-streams.ts'
import type { DialOptions, FrameStream, Network, PeerEvent } from '../network.ts'

/** A world of nodes within one process, for tests and simulations: latency, loss of nodes and partitions are made here. */
export interface MemoryHub {
  /** A node of this world; not reachable before `start`. @default a fresh identity */
  createNetwork(options?: { readonly identity?: Identity }): Network
  /** The node is gone without a word: its connections break and it cannot be dialled. */
  kill(nodeId: string): void
  /** The node hangs: nothing reaches it or leaves it, and nobody is told. What is sent meanwhile arrives after `resume`. */
  pause(nodeId: string): void
  resume(nodeId: string): void
  /** Nodes of different groups lose each other; those in no group form one of their own. Replaces the last partition. */
  partition(...groups: readonly (readonly string[])[]): void
  /** Ends the partition; nothing reconnects by itself. */
  heal(): void
}

export interface MemoryHubOptions {
  readonly clock: Clock
  /** Milliseconds one way, from one node to another. @default 0, delivered at once */
  latencyMs?(from: string, to: string): number
}

export function createMemoryHub(options: MemoryHubOptions): MemoryHub {
  const { clock, latencyMs = () => 0 } = options
  const nodes = new Map<string, MemoryNetwork>()
  /** What waits for a node that hangs to go on. */
  const paused = new Map<string, (() => void)[]>()
  let groupOf: ReadonlyMap<string, number> | undefined

  const pauseOf = async (nodeId: string): Promise<void> => {
    for (let queue = paused.get(nodeId); queue !== undefined; queue = paused.get(nodeId)) {
      const waiting = queue
      await new Promise<void>(resolve => waiting.push(resolve))
    }
  }
  const world: World = {
    find: nodeId => nodes.get(nodeId),
    join: network => void nodes.set(network.nodeId, network),
    leave: network => void (nodes.get(network.nodeId) === network && nodes.delete(network.nodeId)),
    canReach: (from, to) => groupOf === undefined || groupOf.get(from) === groupOf.get(to),
    async travel(from, to, signal) {
      await pauseOf(from)
      const ms = latencyMs(from, to)
      if (ms > 0) await clock.sleep(ms, signal)
      await pauseOf(to)
    },
    isQuick: (from, to) => !paused.has(from) && !paused.has(to) && latencyMs(from, to) === 0,
  }

  return {
    createNetwork: ({ identity = createIdentity() } = {}) => new MemoryNetwork(world, identity.nodeId),
    kill: nodeId => nodes.get(nodeId)?.vanish(),
    pause(nodeId) {
      if (!paused.has(nodeId)) paused.set(nodeId, [])
    },
    resume(nodeId) {
      const waiting = paused.get(nodeId) ?? []
      paused.delete(nodeId)
      for (const resolve of waiting) resolve()
    },
    partition(...groups) {
      groupOf = new Map(groups.flatMap((members, index) => members.map(member => [member, index] as const)))
      for (const node of nodes.values())
        for (const peer of node.peers()) if (!world.canReach(node.nodeId, peer)) node.drop(peer)
    },
    heal() {
      groupOf = undefined
    },
  }
}

interface World {
  find(nodeId: string): MemoryNetwork | undefined
  join(network: MemoryNetwork): void
  leave(network: MemoryNetwork): void
  canReach(from: string, to: string): boolean
  /** Resolves when something sent by `from` would arrive at `to`. */
  travel(from: string, to: string, signal?: AbortSignal): Promise<void>
  /** Nothing delays what is sent now. */
  isQuick(from: string, to: string): boolean
}

class MemoryNetwork implements Network {
  readonly nodeId: string
  readonly #world: World
  readonly #handlers = new Map<string, (stream: FrameStream, peer: string) => void>()
  readonly #listeners = new Set<(event: PeerEvent) => void>()
  readonly #known = new Map<string, readonly string[]>()
  /** Open streams of each connected peer. */
  readonly #connections = new Map<string, Set<FrameStream>>()
  #isRunning = false

  constructor(world: World, nodeId: string) {
    this.#world = world
    this.nodeId = nodeId
  }

  addresses(): readonly string[] {
    return this.#isRunning ? [`/memory/${this.nodeId}/p2p/${this.nodeId}`] : []
  }

  async start(): Promise<void> {
    this.#isRunning = true
    this.#world.join(this)
  }

  async close(): Promise<void> {
    this.#isRunning = false
    this.#world.leave(this)
    await Promise.all([...this.#connections.keys()].map(peer => this.disconnect(peer)))
    this.#listeners.clear()
  }

  async dial(address: string, options: DialOptions = {}): Promise<string> {
    const { signal } = options
    signal?.throwIfAborted()
    const peer = /^\/memory\/(\w+)\/p2p\/\1$/.exec(address)?.[1]
    if (peer === undefined) throw unreachable(address, 'expected an address such as /memory/<id>/p2p/<id>')
    if (this.#connections.has(peer)) return peer
    await this.#world.travel(this.nodeId, peer, signal)
    const other = this.#isRunning && peer !== this.nodeId ? this.#world.find(peer) : undefined
    if (!other || !this.#world.canReach(this.nodeId, peer)) throw unreachable(address, 'nobody is there')
    other.accept(this.nodeId)
    await this.#world.travel(peer, this.nodeId, signal)
    this.accept(peer)
    return peer
  }

  peers(): readonly string[] {
    return [...this.#connections.keys()]
  }

  onPeer(listener: (event: PeerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  handle(protocol: string, handler: (stream: FrameStream, peer: string) => void): () => void {
    this.#handlers.set(protocol, handler)
    return () => this.#handlers.get(protocol) === handler && this.#handlers.delete(protocol)
  }

  async open(peer: string, protocol: string, options: DialOptions = {}): Promise<FrameStream> {
    const { signal } = options
    signal?.throwIfAborted()
    if (!this.#connections.has(peer)) await this.#dialKnown(peer, options)
    await this.#world.travel(this.nodeId, peer, signal)
    const other = this.#world.find(peer)
    if (!other || !this.#connections.has(peer)) throw unreachable(peer, 'the connection was lost')
    const [ours, theirs] = createLinkedStreams({
      schedule: [this.#wire(this.nodeId, peer), this.#wire(peer, this.nodeId)],
    })
    if (!other.receive(theirs, protocol, this.nodeId))
      throw new ModelNetError('UNSUPPORTED', `${peer} does not speak ${protocol}`)
    this.#connections.get(peer)?.add(ours)
    return ours
  }

  learn(peer: string, addresses: readonly string[]): void {
    this.#known.set(peer, addresses)
  }

  async disconnect(peer: string): Promise<void> {
    this.drop(peer)
  }

  /** A connection from a peer. */
  accept(peer: string): void {
    if (this.#connections.has(peer)) return
    this.#connections.set(peer, new Set())
    this.#emit({ type: 'peer-connect', peer })
  }

  /** A stream from a peer; false when nobody serves the protocol. */
  receive(stream: FrameStream, protocol: string, peer: string): boolean {
    const handler = this.#handlers.get(protocol)
    if (!handler) return false
    this.#connections.get(peer)?.add(stream)
    handler(stream, peer)
    return true
  }

  /** Breaks the connection to a peer, on both sides. */
  drop(peer: string): void {
    const streams = this.#connections.get(peer)
    if (!streams) return
    this.#connections.delete(peer)
    for (const stream of streams) stream.abort(new ModelNetError('PEER_LOST', `the connection to ${peer} is lost`))
    this.#world.find(peer)?.drop(this.nodeId)
    this.#emit({ type: 'peer-disconnect', peer })
  }

  /** The end without a word. */
  vanish(): void {
    this.#isRunning = false
    this.#world.leave(this)
    for (const peer of this.peers()) this.drop(peer)
  }

  async #dialKnown(peer: string, options: DialOptions): Promise<void> {
    for (const address of this.#known.get(peer) ?? [])
      if (
        await this.dial(address, options).then(
          found => found === peer,
          () => false,
        )
      )
        return
    options.signal?.throwIfAborted()
    throw unreachable(peer, 'no known address answers')
  }

  /** Keeps the order of deliveries, whatever each of them takes. */
  #wire(from: string, to: string): Schedule {
    let last: Promise<void> = Promise.resolve()
    let underway = 0
    return deliver => {
      if (underway === 0 && this.#world.isQuick(from, to)) {
        deliver()
        return
      }
      underway++
      const arrival = this.#world.travel(from, to)
      last = last
        .then(() => arrival)
        .then(() => {
          underway--
          deliver()
        })
    }
  }

  #emit(event: PeerEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }
}

const unreachable = (where: string, why: string): ModelNetError =>
  new ModelNetError('PEER_UNREACHABLE', `cannot reach ${where}: ${why}`)
