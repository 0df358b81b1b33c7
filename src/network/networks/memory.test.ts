import { expect, it } from 'vitest'
import { createManualClock, settle } from '../../testing/manual-clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { FrameStream, Network, PeerEvent } from '../network.ts'
import { createMemoryHub, type MemoryHub } from './memory.ts'

const PROTOCOL = '/modelnet/test/1'

async function start(hub: MemoryHub): Promise<Network> {
  const network = hub.createNetwork()
  await network.start()
  return network
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    error => (error instanceof ModelNetError ? error.code : String(error)),
  )

/** What a peer sends, as it arrives. */
function record(network: Network): { readonly frames: number[]; readonly ended: Promise<string> } {
  const frames: number[] = []
  const ended = new Promise<string>(resolve => {
    network.handle(PROTOCOL, stream => {
      const reading = (async () => {
        for await (const [first = -1] of stream.frames) frames.push(first)
      })()
      resolve(codeOf(reading))
    })
  })
  return { frames, ended }
}

async function dial(from: Network, to: Network): Promise<FrameStream> {
  await from.dial(to.addresses()[0] ?? '')
  return from.open(to.nodeId, PROTOCOL)
}

it('delivers after the latency, in order even when it falls', async () => {
  const clock = createManualClock()
  let ms = 0
  const hub = createMemoryHub({ clock, latencyMs: () => ms })
  const [a, b] = [await start(hub), await start(hub)]
  const { frames } = record(a)
  const stream = await dial(b, a)
  ms = 100
  await stream.send(Uint8Array.of(1))
  ms = 10
  await stream.send(Uint8Array.of(2))
  await clock.advance(99)
  expect(frames).toEqual([])
  await clock.advance(1)
  expect(frames).toEqual([1, 2])
})

it('takes a round trip to dial', async () => {
  const clock = createManualClock()
  const hub = createMemoryHub({ clock, latencyMs: () => 50 })
  const [a, b] = [await start(hub), await start(hub)]
  const dialling = b.dial(a.addresses()[0] ?? '')
  await clock.advance(99)
  expect(b.peers()).toEqual([])
  await clock.advance(1)
  expect(await dialling).toBe(a.nodeId)
})

it('loses a killed node at once: streams fail, peers are told, nobody reaches it', async () => {
  const hub = createMemoryHub({ clock: createManualClock() })
  const [a, b] = [await start(hub), await start(hub)]
  const { ended } = record(a)
  const stream = await dial(b, a)
  const events: PeerEvent[] = []
  b.onPeer(event => events.push(event))
  const [address = ''] = a.addresses()
  hub.kill(a.nodeId)
  expect(events).toEqual([{ type: 'peer-disconnect', peer: a.nodeId }])
  expect(await codeOf(stream.send(Uint8Array.of(1)))).toBe('PEER_LOST')
  expect(await ended).toBe('PEER_LOST')
  expect(await codeOf(b.dial(address))).toBe('PEER_UNREACHABLE')
})

it('parts nodes of different groups, and lets them meet again when it is healed', async () => {
  const hub = createMemoryHub({ clock: createManualClock() })
  const [a, b, c] = [await start(hub), await start(hub), await start(hub)]
  for (const node of [b, c]) await node.dial(a.addresses()[0] ?? '')
  hub.partition([a.nodeId, b.nodeId])
  expect([a.peers(), b.peers(), c.peers()]).toEqual([[b.nodeId], [a.nodeId], []])
  expect(await codeOf(c.dial(a.addresses()[0] ?? ''))).toBe('PEER_UNREACHABLE')
  hub.heal()
  expect(await c.dial(a.addresses()[0] ?? '')).toBe(a.nodeId)
})

it('lets a node hang without a word, and go on with what was sent meanwhile', async () => {
  const hub = createMemoryHub({ clock: createManualClock() })
  const [a, b] = [await start(hub), await start(hub)]
  const { frames } = record(a)
  const stream = await dial(b, a)
  hub.pause(a.nodeId)
  await stream.send(Uint8Array.of(1))
  await settle()
  expect({ frames, peers: b.peers() }).toEqual({ frames: [], peers: [a.nodeId] })
  hub.resume(a.nodeId)
  await stream.send(Uint8Array.of(2))
  await settle()
  expect(frames).toEqual([1, 2])
})
