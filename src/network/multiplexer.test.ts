import { MessageChannel } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import {
  CALL_CREDIT,
  decodeFrame,
  encodeFrame,
  MAX_DEADLINE_MS,
  MAX_STALL_MS,
  readChannelFrame,
} from '../protocol/index.ts'
import { createManualClock, type ManualClock, settle } from '../testing/manual-clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import { callOnce } from './call-once.ts'
import type { CallHandlers, Channel } from './channel.ts'
import type { ChannelTransport } from './channel-transport.ts'
import { createPortTransport } from './channel-transports/message-port.ts'
import { createStreamTransport } from './channel-transports/stream.ts'
import { createLinkedStreams } from './linked-streams.ts'
import { type ChannelOptions, createChannel } from './multiplexer.ts'
import type { FrameStream } from './network.ts'

const open: Channel[] = []
afterEach(async () => {
  for (const channel of open.splice(0)) await channel.close()
})

const kinds: Record<string, () => [ChannelTransport, ChannelTransport]> = {
  'a stream': () => {
    const [left, right] = createLinkedStreams()
    return [createStreamTransport(left), createStreamTransport(right)]
  },
  'a message port': () => {
    const { port1, port2 } = new MessageChannel()
    return [createPortTransport(port1), createPortTransport(port2)]
  },
}

function connect(
  handlers: CallHandlers,
  options: Partial<ChannelOptions> & { readonly transports?: [ChannelTransport, ChannelTransport] } = {},
): { client: Channel; server: Channel; clock: ManualClock } {
  const clock = createManualClock()
  const { transports = kinds['a stream']?.() as [ChannelTransport, ChannelTransport], ...rest } = options
  const client = createChannel(transports[0], { peer: 'server', clock, ...rest })
  const server = createChannel(transports[1], { peer: 'client', clock, handlers, ...rest })
  open.push(client, server)
  return { client, server, clock }
}

/** A channel whose other side is written by hand, frame by frame. */
function connectByHand(handlers: CallHandlers = {}): {
  channel: Channel
  send(frame: unknown): Promise<void>
  stream: FrameStream
  clock: ManualClock
} {
  const clock = createManualClock()
  const [ours, theirs] = createLinkedStreams()
  const channel = createChannel(createStreamTransport(ours), { peer: 'stranger', clock, handlers })
  open.push(channel)
  return { channel, send: frame => theirs.send(encodeFrame(frame)), stream: theirs, clock }
}

async function collect(parts: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const part of parts) all.push(part)
  return all
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    error => (error instanceof ModelNetError ? error.code : String(error)),
  )

const handlers: CallHandlers = {
  async *echo(body) {
    yield body
  },
  async *count(body) {
    for (let index = 0; index < (body as number); index++) yield index
  },
  async *double(_body, call) {
    for await (const part of call.parts) yield (part as number) * 2
  },
  async *wait(_body, _call, { signal }) {
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  },
}

describe.each(Object.entries(kinds))('a channel over %s', (_name, createTransports) => {
  it('answers a call', async () => {
    const { client } = connect(handlers, { transports: createTransports() })
    const body = { text: '零点一', bytes: Uint8Array.of(0, 255), list: [1, -1.5, null, true], infinite: -Infinity }
    expect(await callOnce(client, 'echo', body)).toEqual(body)
  })

  it('streams more parts than there is credit, in order', async () => {
    const { client } = connect(handlers, { transports: createTransports() })
    expect(await collect(client.call('count', 1000).parts)).toEqual(Array.from({ length: 1000 }, (_, index) => index))
  })

  it('carries parts both ways in one call', async () => {
    const { client } = connect(handlers, { transports: createTransports() })
    const call = client.call('double', null)
    const answer = collect(call.parts)
    for (let index = 0; index < 300; index++) await call.send(index)
    call.end()
    expect(await answer).toEqual(Array.from({ length: 300 }, (_, index) => 2 * index))
  })

  it('lets both sides start calls at the same time', async () => {
    const transports = createTransports()
    const clock = createManualClock()
    const left = createChannel(transports[0], { peer: 'right', clock, handlers })
    const right = createChannel(transports[1], { peer: 'left', clock, handlers })
    open.push(left, right)
    const all = await Promise.all([
      callOnce(left, 'echo', 'l'),
      callOnce(right, 'echo', 'r'),
      callOnce(left, 'echo', 2),
    ])
    expect(all).toEqual(['l', 'r', 2])
  })

  it('fails open calls with PEER_LOST when the other side closes', async () => {
    const { client, server } = connect(handlers, { transports: createTransports() })
    const answer = codeOf(callOnce(client, 'wait', null))
    await callOnce(client, 'echo', 1)
    await server.close()
    expect(await answer).toBe('PEER_LOST')
    await client.closed
    expect(await codeOf(callOnce(client, 'echo', 1))).toBe('PEER_LOST')
  })

  it('refuses a part that cannot be carried, and lives on', async () => {
    const { client } = connect(handlers, { transports: createTransports() })
    expect(await codeOf(callOnce(client, 'echo', () => 1))).toBe('INVALID_REQUEST')
    expect(await callOnce(client, 'echo', 2)).toBe(2)
  })
})

describe('a channel', () => {
  it('keeps a thousand interleaved calls apart', async () => {
    const { client } = connect(handlers, { maxOpenCalls: 1000 })
    const calls = Array.from({ length: 1000 }, (_, index) => ({ index, call: client.call('double', null) }))
    const answers = calls.map(({ call }) => collect(call.parts))
    for (let round = 0; round < 3; round++) for (const { call, index } of calls) await call.send(index * 10 + round)
    for (const { call } of calls) call.end()
    for (const [index, answer] of (await Promise.all(answers)).entries())
      expect(answer).toEqual([0, 1, 2].map(round => 2 * (index * 10 + round)))
  })

  it('lets a handler run ahead of its reader by the credit only', async () => {
    let made = 0
    const { client } = connect({
      async *many() {
        for (;;) yield made++
      },
    })
    const parts = client.call('many', null).parts[Symbol.asyncIterator]()
    await parts.next()
    await settle()
    expect(made).toBeLessThanOrEqual(CALL_CREDIT + 2)
    for (let index = 0; index < CALL_CREDIT; index++) await parts.next()
    await settle()
    expect(made).toBeGreaterThan(CALL_CREDIT + 2)
    await parts.return?.()
  })

  it('makes a sender wait until its parts are read', async () => {
    const gate = createGate()
    const { client } = connect({
      async *slow(_body, call) {
        await gate.opened
        let read = 0
        for await (const _ of call.parts) read++
        yield read
      },
    })
    const call = client.call('slow', null)
    let sent = 0
    const sending = (async () => {
      for (; sent < 200; sent++) await call.send(sent)
      call.end()
    })()
    await settle()
    expect(sent).toBe(CALL_CREDIT)
    gate.open()
    await sending
    expect(await collect(call.parts)).toEqual([200])
  })

  it('ends a call whose reader takes nothing for minutes', async () => {
    let stopped = false
    const { client, clock } = connect({
      async *many() {
        try {
          for (;;) yield 1
        } finally {
          stopped = true
        }
      },
    })
    const call = client.call('many', null)
    await clock.advance(MAX_STALL_MS - 1)
    expect(stopped).toBe(false)
    await clock.advance(2)
    expect(stopped).toBe(true)
    expect(await codeOf(collect(call.parts))).toBe('DEADLINE_EXCEEDED')
  })

  it('aborts the signal of the handler when the caller cancels', async () => {
    let reason: unknown
    const { client } = connect({
      async *wait(_body, _call, { signal }) {
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
        reason = signal.reason
      },
    })
    const controller = new AbortController()
    const answer = codeOf(callOnce(client, 'wait', null, { signal: controller.signal }))
    await settle()
    controller.abort()
    expect(await answer).toBe('CANCELLED')
    await settle()
    expect(reason).toMatchObject({ code: 'CANCELLED' })
  })

  it('stops the handler when the reader stops early', async () => {
    let stopped = false
    const { client } = connect({
      async *many() {
        try {
          for (let index = 0; ; index++) yield index
        } finally {
          stopped = true
        }
      },
    })
    for await (const part of client.call('many', null).parts) if (part === 3) break
    await settle()
    expect(stopped).toBe(true)
  })

  it('sends nothing for a signal that is already aborted', async () => {
    let calls = 0
    const { client } = connect({
      async *count() {
        yield ++calls
      },
    })
    const signal = AbortSignal.abort(new ModelNetError('BUDGET_EXCEEDED', 'spent'))
    expect(await codeOf(callOnce(client, 'count', null, { signal }))).toBe('BUDGET_EXCEEDED')
    await settle()
    expect(calls).toBe(0)
  })

  it('ends a call at its deadline, and stops its handler', async () => {
    let isStopped = false
    let given: number | undefined
    const { client, clock } = connect({
      async *wait(_body, _call, { signal, deadlineMs }) {
        given = deadlineMs
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
        isStopped = true
      },
    })
    const answer = codeOf(callOnce(client, 'wait', null, { deadlineMs: 500 }))
    await clock.advance(499)
    expect(isStopped).toBe(false)
    await clock.advance(1)
    expect(await answer).toBe('DEADLINE_EXCEEDED')
    expect({ isStopped, given, sleepers: clock.sleepers }).toEqual({ isStopped: true, given: 500, sleepers: 0 })
  })

  it('gives a call without end the longest deadline there is', async () => {
    const { client, clock } = connect(handlers)
    const answer = codeOf(callOnce(client, 'wait', null, { deadlineMs: Number.POSITIVE_INFINITY }))
    await clock.advance(MAX_DEADLINE_MS)
    expect(await answer).toBe('DEADLINE_EXCEEDED')
  })

  it('keeps nothing of calls that nobody reads, whether they end well or fail', async () => {
    const { client } = connect(
      {
        ...handlers,
        async *fail() {
          yield new Uint8Array(1000)
          throw new ModelNetError('ENGINE_FAILED', 'out of memory')
        },
      },
      { maxOpenCalls: 10, maxWaitingBytes: 30_000 },
    )
    for (let round = 0; round < 30; round++) {
      for (const method of ['count', 'fail', 'fail', 'fail', 'fail']) client.call(method, 5)
      await settle()
    }
    expect(await callOnce(client, 'echo', new Uint8Array(10_000))).toHaveLength(10_000)
  })

  it('gives nothing more to a reader that has stopped', async () => {
    const { client } = connect(handlers)
    const parts = client.call('count', 10).parts[Symbol.asyncIterator]()
    await parts.next()
    await parts.return?.()
    expect(await parts.next()).toEqual({ value: undefined, done: true })
  })

  it('enforces the deadline where the call is served, whatever the caller does', async () => {
    const { send, stream, clock } = connectByHand(handlers)
    await send({ type: 'call-start', call: 1, method: 'wait', body: null, deadlineMs: 300 })
    await clock.advance(300)
    const first = await stream.frames[Symbol.asyncIterator]().next()
    expect(readChannelFrame(decodeFrame(first.value))).toMatchObject({ type: 'call-error', code: 'DEADLINE_EXCEEDED' })
  })

  it('does not start a call whose deadline has passed, and leaves no timer behind one that ended', async () => {
    const { client, clock } = connect(handlers)
    expect(await codeOf(callOnce(client, 'echo', 1, { deadlineMs: 0 }))).toBe('DEADLINE_EXCEEDED')
    expect(await callOnce(client, 'echo', 1, { deadlineMs: 1e12 })).toBe(1)
    await settle()
    expect(clock.sleepers).toBe(0)
  })

  it('carries code, message, retryable and details of an error, and who said it', async () => {
    const { client } = connect({
      // biome-ignore lint/correctness/useYield: it fails
      async *fail() {
        throw new ModelNetError('OVERLOADED', 'queue of 8 is full', { details: { queued: 8 }, retryable: false })
      },
    })
    await expect(callOnce(client, 'fail', null)).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: 'queue of 8 is full',
      retryable: false,
      details: { queued: 8, peer: 'server' },
    })
  })

  it('says nothing of errors that are not ours', async () => {
    const { client } = connect({
      // biome-ignore lint/correctness/useYield: it fails
      async *fail() {
        throw new TypeError('cannot read /home/anna/secret.txt')
      },
    })
    await expect(callOnce(client, 'fail', null)).rejects.toMatchObject({ code: 'INTERNAL', message: 'fail failed' })
  })

  it('gives what was yielded before the error', async () => {
    const { client } = connect({
      async *fail() {
        yield 1
        yield 2
        throw new ModelNetError('ENGINE_FAILED', 'out of memory')
      },
    })
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const part of client.call('fail', null).parts) seen.push(part)
    })()
    expect(await codeOf(reading)).toBe('ENGINE_FAILED')
    expect(seen).toEqual([1, 2])
  })

  it.each(['nothing', 'constructor', '__proto__', 'toString'])('refuses the method %s', async method => {
    const { client } = connect(handlers)
    expect(await codeOf(callOnce(client, method, null))).toBe('UNSUPPORTED')
  })

  it('reports what a handler yields and cannot be sent as its defect', async () => {
    const { client } = connect({
      async *bad() {
        yield Number.NaN
      },
    })
    expect(await codeOf(callOnce(client, 'bad', null))).toBe('INTERNAL')
  })

  it('refuses calls beyond its limit with OVERLOADED, and serves again when one has ended', async () => {
    const transports = kinds['a stream']?.() as [ChannelTransport, ChannelTransport]
    const clock = createManualClock()
    const client = createChannel(transports[0], { peer: 'server', clock })
    const server = createChannel(transports[1], { peer: 'client', clock, handlers, maxOpenCalls: 2 })
    open.push(client, server)
    const [first] = [client.call('wait', null), client.call('wait', null)]
    expect(await codeOf(callOnce(client, 'echo', 1))).toBe('OVERLOADED')
    first?.cancel()
    await settle()
    expect(await callOnce(client, 'echo', 1)).toBe(1)
  })

  it('counts a cancelled handler until it has stopped', async () => {
    const gate = createGate()
    const { client } = connect(
      {
        // biome-ignore lint/correctness/useYield: it does not heed its signal
        async *stubborn() {
          await gate.opened
        },
      },
      { maxOpenCalls: 1 },
    )
    client.call('stubborn', null).cancel()
    expect(await codeOf(callOnce(client, 'stubborn', null))).toBe('OVERLOADED')
    gate.open()
    await settle()
    expect(await codeOf(callOnce(client, 'stubborn', null))).toBe('PROTOCOL_ERROR') // no answer: it ran
  })

  it('ends a call whose unread parts take more bytes than the channel may hold', async () => {
    const { client } = connect(
      {
        async *flood() {
          for (;;) yield new Uint8Array(1000)
        },
      },
      { maxWaitingBytes: 10_000 },
    )
    const call = client.call('flood', null)
    await settle()
    expect(await codeOf(collect(call.parts))).toBe('OVERLOADED')
    const small = client.call('flood', null).parts[Symbol.asyncIterator]()
    expect((await small.next()).value).toEqual(new Uint8Array(1000))
    await small.return?.()
  })
})

describe('a channel to a peer that breaks the protocol', () => {
  const start = { type: 'call-start', call: 1, method: 'wait', body: null }
  const violations: Record<string, unknown[]> = {
    'a call started twice': [start, start],
    'a call with a lower number': [
      { ...start, call: 5 },
      { ...start, call: 4 },
    ],
    'a part of a call never started': [{ type: 'call-part', call: 3, part: 1 }],
    'an answer to a call never started': [{ type: 'call-part', call: -1, part: 1 }],
    'parts beyond its credit': [
      start,
      ...Array.from({ length: CALL_CREDIT + 1 }, () => ({ type: 'call-part', call: 1, part: 0 })),
    ],
    'more credit than there is': [start, { type: 'call-credit', call: 1, credit: 1 }],
    'a part after its end': [start, { type: 'call-end', call: 1 }, { type: 'call-part', call: 1, part: 1 }],
    'a second end': [start, { type: 'call-end', call: 1 }, { type: 'call-end', call: 1 }],
    'a type that is not known': [{ type: 'call-restart', call: 1 }],
    'something else than a map': [[1, 2, 3]],
    'a call number of 0': [{ ...start, call: 0 }],
    'a start in our name': [{ ...start, call: -1 }],
  }
  it.each(Object.entries(violations))('ends it after %s', async (_name, frames) => {
    const { channel, send } = connectByHand(handlers)
    for (const frame of frames) await send(frame).catch(() => undefined)
    await channel.closed
    expect(await codeOf(callOnce(channel, 'echo', 1))).toBe('PROTOCOL_ERROR')
  })

  it('ends it after bytes that are no frame', async () => {
    const { channel, stream } = connectByHand(handlers)
    await stream.send(Uint8Array.of(0xff, 1, 2))
    await channel.closed
    expect(await codeOf(callOnce(channel, 'echo', 1))).toBe('PROTOCOL_ERROR')
  })

  it('ignores frames of calls that have ended, since they may have been on their way', async () => {
    const { channel, send, stream } = connectByHand(handlers)
    await send({ type: 'call-start', call: 1, method: 'echo', body: 'x' })
    await send({ type: 'call-cancel', call: 1 })
    await send({ type: 'call-part', call: 1, part: 1 })
    await send({ type: 'call-credit', call: 1, credit: 1 })
    await send({ type: 'call-start', call: 2, method: 'echo', body: 'y', fieldOfTheFuture: true })
    await settle()
    await channel.close()
    const frames = (await collect(stream.frames)).map(bytes => readChannelFrame(decodeFrame(bytes as Uint8Array)))
    expect(frames).toContainEqual({ type: 'call-part', call: -2, part: 'y' })
  })

  it('takes an error code it does not know as INTERNAL', async () => {
    const { channel, send } = connectByHand()
    const answer = codeOf(callOnce(channel, 'any', null))
    await send({ type: 'call-error', call: -1, code: 'NEW_CODE', message: 'from the future' })
    expect(await answer).toBe('INTERNAL')
  })
})

function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open: () => open() }
}
