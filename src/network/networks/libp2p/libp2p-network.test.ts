import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { MAX_FRAME_BYTES } from '../../../protocol/index.ts'
import { systemClock } from '../../../utils/clock.ts'
import { silentLogger } from '../../../utils/logger.ts'
import { createIdentity } from '../../identity.ts'
import type { FrameStream, Network, PeerEvent } from '../../network.ts'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from './libp2p-network.ts'

const PROTOCOL = '/modelnet/test/1'
const networks: Network[] = []

async function startNetwork(options: Libp2pNetworkOptions = {}): Promise<Network> {
  const components = { identity: createIdentity(), clock: systemClock, logger: silentLogger }
  const network = createLibp2pNetwork(components, options)
  networks.push(network)
  await network.start()
  return network
}

/** The next stream a network is offered. */
const offered = (network: Network, protocol = PROTOCOL): Promise<{ stream: FrameStream; peer: string }> =>
  new Promise(resolve => network.handle(protocol, (stream, peer) => resolve({ stream, peer })))

const event = (network: Network, type: PeerEvent['type'], peer: string): Promise<void> =>
  new Promise(resolve => {
    const stop = network.onPeer(each => {
      if (each.type !== type || each.peer !== peer) return
      stop()
      resolve()
    })
  })

const address = (network: Network, part = '/tcp/'): string => {
  const found = network.addresses().find(each => each.includes(part))
  if (!found) throw new Error(`no address with ${part}`)
  return found
}

async function readAll(stream: FrameStream): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of stream.frames) frames.push(frame)
  return frames
}

describe('createLibp2pNetwork', () => {
  afterEach(async () => {
    await Promise.all(networks.splice(0).map(network => network.close()))
  })

  it.each(['/tcp/', '/ws'])('connects over %s and carries frames both ways in order', async part => {
    const a = await startNetwork()
    const b = await startNetwork()
    const met = offered(a)
    expect(await b.dial(address(a, part))).toBe(a.nodeId)
    const mine = await b.open(a.nodeId, PROTOCOL)
    await mine.send(Uint8Array.of(1))
    const { stream: theirs, peer } = await met
    expect(peer).toBe(b.nodeId)
    for (const size of [2, 70_000, MAX_FRAME_BYTES, 3]) await mine.send(new Uint8Array(size).fill(size % 251))
    const sizes: number[] = []
    for await (const frame of theirs.frames) {
      sizes.push(frame.length)
      expect(frame.every(byte => byte === (frame.length === 1 ? 1 : frame.length % 251))).toBe(true)
      await theirs.send(frame.slice(0, 1))
      if (sizes.length === 5) break
    }
    expect(sizes).toEqual([1, 2, 70_000, MAX_FRAME_BYTES, 3])
  })

  it('speaks its protocols as soon as it can be dialled', async () => {
    const first = await startNetwork({ listen: ['/ip4/127.0.0.1/tcp/0'] })
    const place = address(first).split('/p2p/')[0] ?? ''
    await first.close()
    const components = { identity: createIdentity(), clock: systemClock, logger: silentLogger }
    const late = createLibp2pNetwork(components, { listen: [place] })
    networks.push(late)
    late.handle(PROTOCOL, () => undefined)
    const eager = await startNetwork({ listen: [] })
    const starting = late.start()
    const dial = (): Promise<string> => eager.dial(place).catch(() => '')
    while ((await dial()) !== late.nodeId);
    await (await eager.open(late.nodeId, PROTOCOL)).close()
    await starting
  })

  it('makes a sender wait for a slow reader, and loses nothing', async () => {
    const [a, b] = [await startNetwork(), await startNetwork()]
    const met = offered(a)
    await b.dial(address(a))
    const mine = await b.open(a.nodeId, PROTOCOL)
    let sent = 0
    const frame = new Uint8Array(256 * 1024)
    const sending = (async () => {
      for (; sent < 128; sent++) await mine.send(frame)
      await mine.close()
    })()
    const { stream: theirs } = await met
    const reader = theirs.frames[Symbol.asyncIterator]()
    await reader.next()
    // Nothing is read meanwhile: what is in flight is bounded by the window and the buffers, well below the 32 MiB sent.
    const ping = await b.open(a.nodeId, '/modelnet/ping/1.0.0').catch(() => undefined)
    await ping?.close()
    expect(sent).toBeLessThan(100)
    let read = 1
    while (!(await reader.next()).done) read++
    await sending
    expect(read).toBe(128)
  })

  it('says when a peer has gone, at once', async () => {
    const [a, b] = [await startNetwork(), await startNetwork()]
    const joined = event(a, 'peer-connect', b.nodeId)
    await b.dial(address(a))
    await joined
    expect(a.peers()).toEqual([b.nodeId])
    const gone = event(a, 'peer-disconnect', b.nodeId)
    await b.close()
    await gone
    expect(a.peers()).toEqual([])
  })

  it('dials a peer at the addresses it was told', async () => {
    const [a, b] = [await startNetwork(), await startNetwork()]
    const met = offered(a)
    b.learn(a.nodeId, a.addresses())
    const stream = await b.open(a.nodeId, PROTOCOL)
    await stream.send(Uint8Array.of(7))
    expect((await met).peer).toBe(b.nodeId)
  })

  it('ends a stream whose frame would be too long, and lives on', async () => {
    const [a, b] = [await startNetwork(), await startNetwork()]
    const met = offered(a)
    await b.dial(address(a))
    const mine = await b.open(a.nodeId, PROTOCOL)
    await expect(mine.send(new Uint8Array(MAX_FRAME_BYTES + 1))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    await mine.send(Uint8Array.of(1))
    const { stream } = await met
    await mine.close()
    expect((await readAll(stream)).length).toBe(1)
  })

  it('names a port that is taken', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as { port: number }
    await expect(startNetwork({ listen: [`/ip4/127.0.0.1/tcp/${port}`] })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)),
    })
    server.close()
  })

  it.each(['/ip4/127.0.0.1/tcp/1', 'nonsense', '/ip4/127.0.0.1', ''])(
    'names the address %j it cannot reach',
    async to => {
      const a = await startNetwork()
      await expect(a.dial(to)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE', message: expect.stringContaining(to) })
    },
  )

  it('names a peer it has no address of, and a protocol that is not spoken', async () => {
    const [a, b] = [await startNetwork(), await startNetwork()]
    const stranger = createIdentity().nodeId
    await expect(a.open(stranger, PROTOCOL)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await expect(a.open('nobody', PROTOCOL)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await b.dial(address(a))
    await expect(b.open(a.nodeId, '/modelnet/unknown/1')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  it('refuses another node at an address that names its id', async () => {
    const [a, b] = [await startNetwork(), await startNetwork()]
    const wrong = address(a).replace(a.nodeId, createIdentity().nodeId)
    await expect(b.dial(wrong)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it('is not disturbed by garbage on its port', async () => {
    const [a, b] = [await startNetwork(), await startNetwork()]
    for (const part of ['/tcp/', '/ws']) {
      const port = Number(address(a, part).split('/')[4])
      for (const bytes of ['', '\0'.repeat(100_000), 'GET / HTTP/1.1\r\n\r\n', '\x13/multistream/1.0.0\n'.repeat(50)]) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        await once(socket, 'connect')
        const closed = new Promise(resolve => socket.on('close', resolve))
        socket.end(bytes)
        socket.resume()
        await closed
      }
    }
    expect(await b.dial(address(a))).toBe(a.nodeId)
  })

  it('keeps out peers that are not allowed', async () => {
    const b = await startNetwork()
    const a = await startNetwork({ allow: peer => peer === b.nodeId })
    const c = await startNetwork()
    expect(await b.dial(address(a))).toBe(a.nodeId)
    const gone = event(c, 'peer-disconnect', a.nodeId)
    await c.dial(address(a)).then(
      () => gone,
      () => undefined,
    )
    expect(c.peers()).toEqual([])
    expect(a.peers()).toEqual([b.nodeId])
  })

  it('stops a dial when its signal is aborted', async () => {
    const a = await startNetwork()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(a.dial('/ip4/127.0.0.1/tcp/1', { signal })).rejects.toThrow('enough')
  })

  it('may be closed twice, and then reaches nobody', async () => {
    const a = await startNetwork()
    await Promise.all([a.close(), a.close()])
    await expect(a.dial('/ip4/127.0.0.1/tcp/1')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })
})
