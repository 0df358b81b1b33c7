/**
 * How long does one message to a peer and back take on an open stream, between two processes on this machine?
 *
 * Floor: the same frames echoed over plain TCP (`node:net`). Then a libp2p stream (TCP, TLS, yamux), and a call on a
 * channel over such a stream, which is what a model's step costs. Variants alternate within each round; medians over
 * the rounds are reported, with every round's value.
 *
 * Run: npx tsx benchmarks/network/round-trip.ts [--rounds 7] [--count 500] [--out benchmarks/results/round-trip.json]
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  createIdentity,
  createLibp2pNetwork,
  createPeerLinks,
  type Network,
  type PeerLinks,
} from '../../src/network/index.ts'
import { FrameReader, prefixFrame } from '../../src/protocol/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { silentLogger } from '../../src/utils/logger.ts'

const ECHO = '/modelnet/benchmark-echo/1'
const SIZES = [200, 4096]

interface Node {
  readonly network: Network
  readonly links: PeerLinks
}

async function startNode(): Promise<Node> {
  const components = { clock: systemClock, logger: silentLogger }
  const identity = await createIdentity()
  const network = createLibp2pNetwork({ ...components, identity }, { listen: ['/ip4/127.0.0.1/tcp/0'] })
  await network.start()
  return { network, links: createPeerLinks({ ...components, network }) }
}

/** The other process: echoes on all three ways and tells where. */
async function serve(): Promise<void> {
  const { network, links } = await startNode()
  network.handle(ECHO, stream => {
    void (async () => {
      for await (const frame of stream.frames) await stream.send(frame)
    })().catch(() => undefined) // the client has gone
  })
  links.serve({
    async *echo(body) {
      yield body
    },
  })
  const server = createServer(socket => {
    socket.setNoDelay(true)
    const reader = new FrameReader()
    socket.on('data', chunk => {
      for (const frame of reader.push(chunk)) socket.write(prefixFrame(frame))
    })
    socket.on('error', () => undefined) // the client has gone
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  process.send?.({ port: (server.address() as AddressInfo).port, address: network.addresses()[0] })
  process.once('disconnect', () => process.exit(0))
}

type Trip = (payload: Uint8Array) => Promise<void>

async function plainTcp(port: number): Promise<{ trip: Trip; socket: Socket }> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.setNoDelay(true)
  const reader = new FrameReader()
  let onFrame: () => void = () => undefined
  socket.on('data', chunk => {
    for (const _ of reader.push(chunk)) onFrame()
  })
  return {
    socket,
    trip: payload =>
      new Promise(resolve => {
        onFrame = resolve
        socket.write(prefixFrame(payload))
      }),
  }
}

async function measure(trip: Trip, bytes: number, count: number): Promise<number> {
  const payload = new Uint8Array(randomBytes(bytes))
  const times: number[] = []
  for (let index = 0; index < count; index++) {
    const start = performance.now()
    await trip(payload)
    times.push((performance.now() - start) * 1000)
  }
  return median(times)
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const round = (value: number): number => Math.round(value * 10) / 10

async function run(child: ChildProcess, rounds: number, count: number): Promise<object[]> {
  const [{ port, address }] = (await once(child, 'message')) as [{ port: number; address: string }]
  const { network, links } = await startNode()
  const tcp = await plainTcp(port)
  const peer = await network.dial(address)
  const stream = await network.open(peer, ECHO)
  const frames = stream.frames[Symbol.asyncIterator]()
  const channel = await links.channel(peer)
  const trips: Record<string, Trip> = {
    'plain TCP (floor)': tcp.trip,
    'libp2p stream (TCP, TLS, yamux)': async payload => {
      await stream.send(payload)
      await frames.next()
    },
    'call on a channel over it': async payload => {
      for await (const _ of channel.call('echo', payload).parts);
    },
  }
  const results = Object.keys(trips).flatMap(name => SIZES.map(bytes => ({ name, bytes, rounds: [] as number[] })))
  for (const result of results) await measure(trips[result.name] as Trip, result.bytes, count) // warm up
  for (let index = 0; index < rounds; index++) {
    for (const result of index % 2 ? results.toReversed() : results)
      result.rounds.push(round(await measure(trips[result.name] as Trip, result.bytes, count)))
  }
  tcp.socket.destroy()
  await links.close()
  await network.close()
  return results.map(({ name, bytes, rounds: values }) => ({
    name,
    bytes,
    medianMicroseconds: round(median(values)),
    rounds: values,
  }))
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      count: { type: 'string', default: '500' },
      out: { type: 'string' },
      serve: { type: 'boolean', default: false },
    },
  })
  if (values.serve) return serve()
  const child = fork(fileURLToPath(import.meta.url), ['--serve'], { execArgv: process.execArgv })
  try {
    const results = await run(child, Number(values.rounds), Number(values.count))
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg().map(round), node: process.version }
    const report = {
      question: 'microseconds for one message and its echo',
      date: new Date().toISOString(),
      machine,
      results,
    }
    console.log(JSON.stringify(report, null, 2))
    if (values.out === undefined) return
    await mkdir(dirname(values.out), { recursive: true })
    await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`)
  } finally {
    child.disconnect()
  }
}

await main()
