import { createChannel, createIdentity, createLinkedStreams, createStreamTransport } from '../../src/network/index.ts'
import {
  DOCUMENT_TYPES,
  decodeDecodeResult,
  decodeFrame,
  encodeDistribution,
  encodeFrame,
  FrameReader,
  MAX_CARD_BYTES,
  ModelCardSchema,
  prefixFrame,
  readChannelFrame,
  signDocument,
  verifyDocument,
} from '../../src/protocol/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { ModelNetError } from '../../src/utils/errors.ts'
import type { Random } from '../../src/utils/random.ts'

/** Does what a peer can make this node do, once, with random input; throws when that is more than refusing it. */
export type FuzzTarget = (random: Random) => Promise<void>

const uniform = Float64Array.from({ length: 257 }, () => 1 / 257)
/** Frames a peer may send, to be mutated. */
const SEEDS: readonly Uint8Array[] = [
  { type: 'call-start', call: 1, method: 'echo', body: { text: '零', list: [1.5, -Infinity, null] }, deadlineMs: 9 },
  { type: 'call-start', call: 2, method: 'count', body: 100 },
  {
    type: 'call-part',
    call: 1,
    part: { distributions: [encodeDistribution({ kind: 'bytes', probabilities: uniform })] },
  },
  {
    type: 'call-part',
    call: 1,
    part: { distributions: [[-1, 0.1, Uint8Array.of(1), -2]], draft: { bytes: new Uint8Array(3), end: true } },
  },
  { type: 'call-end', call: 1 },
  { type: 'call-error', call: -1, code: 'INTERNAL', message: 'x', retryable: true, details: { a: 1 } },
  { type: 'call-cancel', call: 2 },
  { type: 'call-credit', call: 1, credit: 5 },
].map(encodeFrame)

const below = (random: Random, end: number): number => Math.floor(random.next() * end)
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T
const noise = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => below(random, 256))

/** A valid frame with a few bytes changed, cut, doubled or put in; sometimes only noise. */
function mutate(random: Random, seed: Uint8Array): Uint8Array {
  if (random.next() < 0.1) return noise(random, below(random, 200))
  let bytes = [...seed]
  for (let changes = below(random, 4); changes >= 0; changes--) {
    const at = below(random, bytes.length + 1)
    const change = below(random, 5)
    if (change === 0) bytes[at] = below(random, 256)
    else if (change === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8))
    else if (change === 2) bytes.splice(at, 1 + below(random, 8))
    else if (change === 3) bytes.splice(at, 0, ...noise(random, 1 + below(random, 9)))
    else bytes = [...bytes.slice(0, at), ...bytes.slice(below(random, bytes.length + 1))]
  }
  return Uint8Array.from(bytes)
}

/** The value, or undefined when it was refused with one of the codes; throws for anything else. */
function refusable<T>(work: () => T, codes: readonly string[]): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof ModelNetError && codes.includes(error.code)) return undefined
    throw error
  }
}

const codec: FuzzTarget = async random => {
  const bytes = mutate(random, pick(random, SEEDS))
  const value = refusable(() => decodeFrame(bytes), ['PROTOCOL_ERROR'])
  if (value === undefined) return
  // What was read is what would be written, but for the width of floats.
  const again = encodeFrame(value)
  if (!Buffer.from(encodeFrame(decodeFrame(again))).equals(again)) throw new Error('a frame has two forms')
  refusable(() => readChannelFrame(value), ['PROTOCOL_ERROR'])
  refusable(() => decodeDecodeResult(value), ['PROTOCOL_ERROR'])
}

const framing: FuzzTarget = async random => {
  const bytes = Buffer.concat([prefixFrame(pick(random, SEEDS)), mutate(random, prefixFrame(pick(random, SEEDS)))])
  const reader = new FrameReader()
  refusable(() => {
    for (let position = 0; position < bytes.length; ) {
      const size = 1 + below(random, 40)
      for (const _ of reader.push(bytes.subarray(position, position + size)));
      position += size
    }
  }, ['PROTOCOL_ERROR'])
}

const channel: FuzzTarget = async random => {
  const [ours, theirs] = createLinkedStreams()
  const multiplexed = createChannel(createStreamTransport(ours), {
    peer: 'stranger',
    clock: systemClock,
    handlers: {
      async *echo(_body, call) {
        for await (const part of call.parts) yield part
      },
      async *count(body) {
        for (let index = 0; index < Number(body); index++) yield index
      },
    },
  })
  const call = multiplexed.call('any', null)
  const reading = (async () => {
    for await (const _ of call.parts);
  })().catch(error =>
    refusable(() => {
      throw error
    }, [error?.code]),
  ) // any error of ours will do
  for (let frames = 1 + below(random, 12); frames > 0; frames--) {
    const seed = pick(random, SEEDS)
    const frame = random.next() < 0.7 ? seed : mutate(random, seed)
    if (frame.length > 0) await theirs.send(frame).catch(() => undefined) // the channel has ended
  }
  await new Promise(resolve => setImmediate(resolve))
  await multiplexed.close()
  await multiplexed.closed
  await reading
}

const identity = createIdentity(new Uint8Array(32))
const signed = signDocument({ version: 1, id: 'a', tags: ['b'] }, DOCUMENT_TYPES.card, identity)

const signature: FuzzTarget = async random => {
  const { jws } = await signed
  const text = Buffer.from(mutate(random, Buffer.from(jws))).toString('latin1')
  await verifyDocument(text, DOCUMENT_TYPES.card, ModelCardSchema, MAX_CARD_BYTES).catch(error =>
    refusable(() => {
      throw error
    }, ['INVALID_SIGNATURE', 'PROTOCOL_ERROR']),
  )
}

export const FUZZ_TARGETS: Readonly<Record<string, FuzzTarget>> = { codec, framing, channel, signature }
