import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock, type ManualClock } from '../testing/manual-clock.ts'
import { silentLogger } from '../utils/logger.ts'
import type { Channel } from './channel.ts'
import { createIdentity } from './identity.ts'
import type { Network } from './network.ts'
import { createMemoryHub, type MemoryHub } from './networks/memory.ts'
import { createPeerLinks, type LinkEvent, type PeerLinks } from './peer-links.ts'

interface Node {
  readonly network: Network
  readonly links: PeerLinks
  readonly events: LinkEvent[]
}

let clock: ManualClock = createManualClock()
let hub: MemoryHub = createMemoryHub({ clock })
const nodes: Node[] = []

async function start(): Promise<Node> {
  const network = hub.createNetwork({ identity: createIdentity() })
  await network.start()
  const links = createPeerLinks({ network, clock, logger: silentLogger })
  const events: LinkEvent[] = []
  links.onLink(event => events.push(event))
  const node = { network, links, events }
  nodes.push(node)
  return node
}

const connect = async (from: Node, to: Node): Promise<void> => {
  await from.network.dial(to.network.addresses()[0] ?? '')
  await clock.advance(2000)
}

async function echo(channel: Channel, body: unknown): Promise<unknown[]> {
  const parts: unknown[] = []
  for await (const part of channel.call('echo', body).parts) parts.push(part)
  return parts
}

const serveEcho = (node: Node): (() => void) =>
  node.links.serve({
    async *echo(body) {
      yield body
    },
  })

describe('createPeerLinks', () => {
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ links }) => links.close()))
    clock = createManualClock()
    hub = createMemoryHub({ clock })
  })

  it('opens one channel to a connected peer by itself, and tells both sides once', async () => {
    const [a, b] = [await start(), await start()]
    await connect(a, b)
    expect(a.links.linked()).toEqual([b.network.nodeId])
    expect(a.events).toEqual([{ type: 'link-up', peer: b.network.nodeId }])
    expect(b.events).toEqual([{ type: 'link-up', peer: a.network.nodeId }])
    expect(await a.links.channel(b.network.nodeId)).toBe(a.links.current(b.network.nodeId))
  })

  it('shares one channel among all who ask, dialling a peer that is not connected', async () => {
    const [a, b] = [await start(), await start()]
    serveEcho(b)
    a.network.learn(b.network.nodeId, b.network.addresses())
    const channels = await Promise.all([1, 2, 3].map(() => a.links.channel(b.network.nodeId)))
    expect(new Set(channels).size).toBe(1)
    expect(await echo(channels[0] as Channel, 7)).toEqual([7])
  })

  it('serves methods added and removed while channels are open, in both directions', async () => {
    const [a, b] = [await start(), await start()]
    await connect(a, b)
    const channel = await b.links.channel(a.network.nodeId)
    await expect(echo(channel, 1)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const end = serveEcho(a)
    expect(await echo(channel, 1)).toEqual([1])
    end()
    await expect(echo(channel, 1)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('opens a lost channel again as long as the connection stands', async () => {
    const [a, b] = [await start(), await start()]
    await connect(a, b)
    await a.links.current(b.network.nodeId)?.close()
    await clock.advance(5000)
    expect(a.links.linked()).toEqual([b.network.nodeId])
    expect(b.links.linked()).toEqual([a.network.nodeId])
    expect(a.events.map(({ type }) => type)).toEqual(['link-up', 'link-down', 'link-up'])
  })

  it('says that the link is down when the peer is gone, and fails calls to it with a code', async () => {
    const [a, b] = [await start(), await start()]
    await connect(a, b)
    hub.kill(b.network.nodeId)
    await clock.advance(5000)
    expect(a.links.linked()).toEqual([])
    expect(a.events.at(-1)).toEqual({ type: 'link-down', peer: b.network.nodeId })
    await expect(a.links.channel(b.network.nodeId)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it('ends the waiting of one caller without ending the dial of the others', async () => {
    const [a, b] = [await start(), await start()]
    a.network.learn(b.network.nodeId, b.network.addresses())
    const controller = new AbortController()
    const [first, second] = [
      a.links.channel(b.network.nodeId, { signal: controller.signal }),
      a.links.channel(b.network.nodeId),
    ]
    controller.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    serveEcho(b)
    expect(await echo(await second, 3)).toEqual([3])
  })

  it('lets a peer hold two channels at most', async () => {
    const [a, b] = [await start(), await start()]
    await connect(a, b)
    const streams = await Promise.all([1, 2, 3, 4].map(() => b.network.open(a.network.nodeId, '/modelnet/channel/1')))
    let ended = 0
    for (const stream of streams)
      void (async () => {
        for await (const _ of stream.frames);
      })()
        .catch(() => undefined)
        .finally(() => ended++)
    await clock.advance(100)
    expect(ended).toBeGreaterThanOrEqual(2)
  })

  it('refuses new channels once closed', async () => {
    const [a, b] = [await start(), await start()]
    await connect(a, b)
    await a.links.close()
    await a.links.close()
    await expect(a.links.channel(b.network.nodeId)).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
