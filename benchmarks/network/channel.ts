/**
 * What does the channel itself cost, without a network? One step (a part there and one back in an open call) and one
 * call (start, answer, end) over an in-memory stream with the codec, and over a message port within one thread.
 *
 * Floor: the same part through `JSON.parse(JSON.stringify())` twice. Variants alternate within each round; of each
 * round the fastest batch counts, since other work on the machine only ever adds; medians over rounds are reported.
 *
 * Run: npx tsx benchmarks/network/channel.ts [--rounds 9]
 */

import { parseArgs } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import {
  type CallHandlers,
  type Channel,
  type ChannelTransport,
  callOnce,
  createChannel,
  createLinkedStreams,
  createPortTransport,
  createStreamTransport,
} from '../../src/network/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { median, writeResult } from '../support.ts'

const BATCHES = 20
const BATCH = 200
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } })

const handlers: CallHandlers = {
  async *echo(body) {
    yield body
  },
  async *each(_body, call) {
    for await (const part of call.parts) yield part
  },
}
/** A token distribution of ten candidates as a step carries it. */
const part = {
  distributions: [[-2, 0.01, ...Array.from({ length: 10 }, (_, i) => [`tok${i}`, Math.fround(-i - 0.1)]).flat()]],
}

function connect([ours, theirs]: readonly [ChannelTransport, ChannelTransport]): Channel {
  createChannel(theirs, { peer: 'client', clock: systemClock, handlers })
  return createChannel(ours, { peer: 'server', clock: systemClock })
}

function overStream(): Channel {
  const [left, right] = createLinkedStreams()
  return connect([createStreamTransport(left), createStreamTransport(right)])
}

function overPort(): Channel {
  const { port1, port2 } = new MessageChannel()
  return connect([createPortTransport(port1), createPortTransport(port2)])
}

/** Microseconds of one, in the fastest batch. */
async function fastest(work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = performance.now()
    for (let index = 0; index < BATCH; index++) await work()
    best = Math.min(best, ((performance.now() - start) / BATCH) * 1000)
  }
  return Number(best.toFixed(2))
}

function stepper(channel: Channel): () => Promise<unknown> {
  const call = channel.call('each', null)
  const parts = call.parts[Symbol.asyncIterator]()
  return async () => {
    await call.send(part)
    return parts.next()
  }
}

const channels = { stream: overStream(), port: overPort() }
const [streamStep, portStep] = [stepper(channels.stream), stepper(channels.port)]
const variants: Readonly<Record<string, () => unknown>> = {
  'floor: JSON both ways': () => JSON.parse(JSON.stringify(JSON.parse(JSON.stringify(part)))),
  'step over a stream': streamStep,
  'step over a port': portStep,
  'call over a stream': () => callOnce(channels.stream, 'echo', part),
  'call over a port': () => callOnce(channels.port, 'echo', part),
}
const rounds: Record<string, number[]> = {}
for (let round = 0; round < Number(values.rounds); round++)
  for (const [name, work] of Object.entries(variants)) rounds[name] = [...(rounds[name] ?? []), await fastest(work)]

const microseconds = Object.fromEntries(
  Object.entries(rounds).map(([name, all]) => [name, { median: median(all), rounds: all }]),
)
for (const [name, { median: middle }] of Object.entries(microseconds))
  console.log(`${name.padEnd(24)}${middle.toFixed(1)} µs`)
writeResult('channel', { question: 'cost of the channel without a network', microseconds })
await Promise.all(Object.values(channels).map(channel => channel.close()))
