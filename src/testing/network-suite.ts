import assert from 'node:assert/strict'
import type { FrameStream, Network, PeerEvent } from '../network/index.ts'
import { MAX_FRAME_BYTES } from '../protocol/index.ts'
import { toModelNetError } from '../utils/errors.ts'
import type { SuiteCase } from './language-model-suite.ts'

export interface NetworkSuiteOptions {
  /** A network of the implementation under test, able to reach the others it made; not started. */
  readonly create: () => Network
}

const PROTOCOL = '/modelnet/suite/1'

/** What every `Network` keeps, whatever carries it. */
export function networkSuite(options: NetworkSuiteOptions): readonly SuiteCase[] {
  /** A case with two networks that are started, the first listening. */
  const two = (name: string, run: (a: Network, b: Network) => Promise<void>): SuiteCase => ({
    name,
    async run() {
      const [a, b] = [options.create(), options.create()]
      await Promise.all([a.start(), b.start()])
      try {
        await run(a, b)
      } finally {
        await Promise.all([a.close(), b.close()])
      }
    },
  })

  return [
    two('dials an address, and both sides are told', async (a, b) => {
      const told = [eventOf(a, 'peer-connect', b.nodeId), eventOf(b, 'peer-connect', a.nodeId)]
      assert.equal(await b.dial(addressOf(a)), a.nodeId)
      await Promise.all(told)
      assert.deepEqual([a.peers(), b.peers()], [[b.nodeId], [a.nodeId]])
      assert.equal(await b.dial(addressOf(a)), a.nodeId)
      assert.deepEqual(b.peers(), [a.nodeId])
    }),
    two('has addresses that end in its node id', async a => {
      for (const address of a.addresses()) assert.ok(address.endsWith(`/p2p/${a.nodeId}`), address)
    }),
    two('rejects what it cannot dial', async (a, b) => {
      await rejects('PEER_UNREACHABLE', b.dial('nonsense'))
      const gone = addressOf(a)
      await a.close()
      await rejects('PEER_UNREACHABLE', b.dial(gone))
    }),
    two('carries frames of all sizes both ways in order', async (a, b) => {
      const [ours, theirs] = await connect(a, b)
      const sizes = [1, 2, 65_537, MAX_FRAME_BYTES, 3]
      const sending = (async () => {
        for (const size of sizes) await ours.send(new Uint8Array(size).fill(size % 251))
        await ours.close()
      })()
      const echoing = (async () => {
        for await (const frame of theirs.frames) {
          assert.ok(frame.every(byte => byte === frame.length % 251))
          await theirs.send(Uint8Array.of(sizes.indexOf(frame.length))).catch(() => undefined) // it may be closed by now
        }
      })()
      await Promise.all([sending, echoing])
    }),
    two('keeps the order of frames whose sending nobody waits for', async (a, b) => {
      const [ours, theirs] = await connect(a, b)
      const sending = Promise.all(
        Array.from({ length: 500 }, (_, index) => ours.send(Uint8Array.of(index & 255, index >> 8))),
      )
      let next = 0
      for await (const [low = 0, high = 0] of theirs.frames) {
        assert.equal(low + high * 256, next++)
        if (next === 500) break
      }
      await sending.catch(() => undefined) // stopping to read ends the stream
    }),
    two('makes a sender wait for a slow reader, and loses nothing', async (a, b) => {
      const [ours, theirs] = await connect(a, b)
      let sent = 0
      const frame = new Uint8Array(256 * 1024)
      const sending = (async () => {
        for (; sent < 200; sent++) await ours.send(frame)
        await ours.close()
      })()
      await turn()
      assert.ok(sent < 200, `${sent} frames of 256 KiB were taken and none was read`)
      let read = 0
      for await (const _ of theirs.frames) read++
      await sending
      assert.equal(read, 200)
    }),
    two('ends both directions in good order when one side closes', async (a, b) => {
      const [ours, theirs] = await connect(a, b)
      await ours.send(Uint8Array.of(7))
      await ours.close()
      await ours.close()
      assert.deepEqual(await readAll(theirs), [[7]])
      assert.deepEqual(await readAll(ours), [])
      await rejects('PEER_LOST', ours.send(Uint8Array.of(1)))
    }),
    two('fails the reader of the other side when one side aborts', async (a, b) => {
      const [ours, theirs] = await connect(a, b)
      const reading = rejects('PEER_LOST', readAll(theirs))
      ours.abort(new Error('enough'))
      await reading
      await rejects('PEER_LOST', ours.send(Uint8Array.of(1)))
    }),
    two('refuses to send a frame that is too long, and lives on', async (a, b) => {
      const [ours, theirs] = await connect(a, b)
      await rejects('PAYLOAD_TOO_LARGE', ours.send(new Uint8Array(MAX_FRAME_BYTES + 1)))
      await ours.send(Uint8Array.of(1))
      for await (const frame of theirs.frames) {
        assert.deepEqual([...frame], [1])
        break
      }
    }),
    two('opens a stream to a peer it was told the address of', async (a, b) => {
      b.learn(a.nodeId, [addressOf(a)])
      const [ours] = await connect(a, b, false)
      assert.deepEqual(b.peers(), [a.nodeId])
      await ours.close()
    }),
    two('names a peer it cannot find, and a protocol that is not spoken', async (a, b) => {
      await rejects('PEER_UNREACHABLE', b.open(a.nodeId, PROTOCOL))
      await b.dial(addressOf(a))
      await rejects('UNSUPPORTED', b.open(a.nodeId, PROTOCOL))
      const end = a.handle(PROTOCOL, () => undefined)
      end()
      await rejects('UNSUPPORTED', b.open(a.nodeId, PROTOCOL))
    }),
    two('fails streams and tells both sides when a connection is ended', async (a, b) => {
      const [ours, theirs] = await connect(a, b)
      const told = [eventOf(a, 'peer-disconnect', b.nodeId), eventOf(b, 'peer-disconnect', a.nodeId)]
      const reading = [readAll(ours), readAll(theirs)].map(work => work.catch(error => toModelNetError(error).code))
      await b.disconnect(a.nodeId)
      await Promise.all([...told, ...reading])
      assert.deepEqual([a.peers(), b.peers()], [[], []])
      await rejects('PEER_LOST', ours.send(Uint8Array.of(1)))
    }),
    two('is missed when it closes, and may be closed twice', async (a, b) => {
      await connect(a, b)
      const told = eventOf(b, 'peer-disconnect', a.nodeId)
      await a.close()
      await a.close()
      await told
      assert.deepEqual([a.peers(), a.addresses(), b.peers()], [[], [], []])
    }),
    two('tells a listener nothing after it was removed', async (a, b) => {
      const events: PeerEvent[] = []
      b.onPeer(event => events.push(event))()
      await b.dial(addressOf(a))
      assert.deepEqual(events, [])
    }),
    two('heeds a signal that is aborted', async (a, b) => {
      const signal = AbortSignal.abort(new Error('enough'))
      await assert.rejects(b.dial(addressOf(a), { signal }), /enough/)
      await assert.rejects(b.open(a.nodeId, PROTOCOL, { signal }), /enough/)
    }),
    {
      name: 'reaches nobody before it is started',
      run: async () => {
        const network = options.create()
        assert.deepEqual([network.addresses(), network.peers()], [[], []])
        await rejects('PEER_UNREACHABLE', network.open(options.create().nodeId, PROTOCOL))
        await network.close()
      },
    },
  ]
}

function addressOf(network: Network): string {
  const [address] = network.addresses()
  assert.ok(address, 'a started network has an address')
  return address
}

/** A stream from `b` to `a`: the end at `b`, and the end at `a`. */
async function connect(a: Network, b: Network, dial = true): Promise<[FrameStream, FrameStream]> {
  if (dial) await b.dial(addressOf(a))
  const offered = new Promise<FrameStream>(resolve => a.handle(PROTOCOL, resolve))
  const ours = await b.open(a.nodeId, PROTOCOL)
  return [ours, await offered]
}

async function readAll(stream: FrameStream): Promise<readonly (readonly number[])[]> {
  const frames: number[][] = []
  for await (const frame of stream.frames) frames.push([...frame])
  return frames
}

const eventOf = (network: Network, type: PeerEvent['type'], peer: string): Promise<void> =>
  new Promise(resolve => {
    const stop = network.onPeer(event => {
      if (event.type !== type || event.peer !== peer) return
      stop()
      resolve()
    })
  })

async function rejects(code: string, work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => toModelNetError(reason),
  )
  assert.equal(error?.code, code, error ? `${error.code}: ${error.message}` : `expected ${code}, nothing was rejected`)
}

/** Time for everything that is ready, I/O included, to happen. */
const turn = async (): Promise<void> => {
  for (let round = 0; round < 50; round++) await new Promise(resolve => setImmediate(resolve))
}
