import { describe, expect, it } from 'vitest'
import { createChannel, createLinkedStreams, createStreamTransport } from '../network/index.ts'
import { encodeFrame } from '../protocol/codec.ts'
import { hashedVector } from '../testing/hashed-vector.ts'
import { collect, languageModelSuite, textOf } from '../testing/language-model-suite.ts'
import { createManualClock } from '../testing/manual-clock.ts'
import type { ScriptedModel } from '../testing/scripted-model.ts'
import { createScriptedModel } from '../testing/scripted-model.ts'
import { systemClock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import { createAdmission } from './admission.ts'
import type { LanguageModel } from './language-model.ts'
import { createModelHandlers } from './model-server.ts'
import { createRemoteModel } from './remote-model.ts'

const request = { messages: [{ role: 'user' as const, content: 'where is it?' }] }

/** A model behind a channel over an in-memory stream, with the real codec. */
function connect(
  model: ScriptedModel,
  card = model.card,
  admission = createAdmission({ clock: systemClock }),
): { remote: LanguageModel; close(): Promise<void> } {
  const [here, there] = createLinkedStreams()
  const served = createChannel(createStreamTransport(there), {
    handlers: createModelHandlers(() => [model], { admission, sessionIdleMs: 60_000 }),
    peer: 'asker',
    clock: systemClock,
  })
  const asking = createChannel(createStreamTransport(here), { peer: 'owner', clock: systemClock })
  return {
    remote: createRemoteModel({ card, channel: async () => asking }),
    async close() {
      await asking.close()
      await served.close()
    },
  }
}

describe('a model on a peer', () => {
  const cases = languageModelSuite({
    request,
    tolerance: 1e-6, // 32-bit floats on the wire
    async create() {
      const model = createScriptedModel({
        answer: 'the café is 你好 far from here',
        partDelayMs: 2,
        firstDelayMs: 2,
        embed: hashedVector,
        card: { concurrency: 4 },
      })
      const { remote, close } = connect(model)
      return { model: remote, running: () => model.running, close }
    },
  })
  for (const { name, run } of cases) it(name, run)

  it('sends a commit with the next question: one round trip per step', async () => {
    const model = createScriptedModel({ answer: 'hello there' })
    const { remote, close } = connect(model)
    const session = await remote.open?.(request)
    await session?.commit(Uint8Array.of(104))
    await session?.commit(Uint8Array.of(101))
    const next = await session?.next()
    expect(next?.kind === 'bytes' && next.probabilities['l'.charCodeAt(0)]).toBeCloseTo(0.9, 6)
    expect(model.sessions[0]?.steps).toEqual([{ commit: Uint8Array.of(104, 101), next: true }])
    await session?.close()
    await expect.poll(() => model.sessions[0]?.closed).toBe(true)
    await close()
  })

  it('tells the owner how long an opening may take, so that one which cannot be in time is refused at once', async () => {
    const clock = createManualClock()
    const model = createScriptedModel({ card: { concurrency: 1 }, clock })
    const admission = createAdmission({ clock })
    const earlier = await admission.enter(model.card, { caller: 'somebody' })
    await clock.advance(10_000)
    earlier.release()
    const held = await admission.enter(model.card, { caller: 'somebody' })
    const { remote, close } = connect(model, model.card, admission)
    await expect(remote.open?.(request, { deadlineMs: 5000 })).rejects.toMatchObject({
      code: 'OVERLOADED',
      details: { retryAfterMs: expect.any(Number) },
    })
    held.release()
    await close()
  })

  it('closes a session that sends nothing for too long, so that its slot is free again', async () => {
    const model = createScriptedModel()
    const handlers = createModelHandlers(() => [model], { sessionIdleMs: 20 })
    const parts = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }
    const context = { signal: new AbortController().signal, peer: 'asker' }
    const reading = (async () => {
      for await (const _ of handlers['decode']?.({ model: 'scripted', request }, { parts }, context) ?? []);
    })()
    await expect(reading).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(model.sessions[0]?.closed).toBe(true)
  })

  it('waits no longer for a session whose caller is lost: nothing keeps the process alive', async () => {
    const clock = createManualClock()
    const handlers = createModelHandlers(() => [createScriptedModel()], { clock })
    const lost = { next: () => Promise.reject(new ModelNetError('PEER_LOST', 'gone')) }
    const parts = { [Symbol.asyncIterator]: () => lost }
    const context = { signal: new AbortController().signal, peer: 'asker' }
    const reading = (async () => {
      for await (const _ of handlers['decode']?.({ model: 'scripted', request }, { parts }, context) ?? []);
    })()
    await expect(reading).rejects.toMatchObject({ code: 'PEER_LOST' })
    expect(clock.sleepers).toBe(0)
  })

  it.each([
    [{ model: 'scripted' }],
    [{ model: 'scripted', request: { messages: [] } }],
    [{ model: 'scripted', request: { ...request, maxTokens: -1 } }],
    ['text'],
  ])('is not asked with %j', async body => {
    const handlers = createModelHandlers(() => [createScriptedModel()])
    const parts = (async function* () {})()
    const context = { signal: new AbortController().signal, peer: 'asker' }
    for (const method of ['generate', 'decode', 'score', 'embed']) {
      const answers = handlers[method]?.(body, { parts }, context)[Symbol.asyncIterator]()
      await expect(answers?.next()).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    }
  })

  it('carries the error of the owner with its code', async () => {
    const model = createScriptedModel({ contextLength: 2 })
    const { remote, close } = connect(model)
    await expect(collect(remote.generate(request))).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' })
    await expect(remote.open?.(request)).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' })
    await close()
  })

  it('is not found under another id', async () => {
    const { remote, close } = connect(createScriptedModel({ id: 'one' }), createScriptedModel({ id: 'two' }).card)
    await expect(collect(remote.generate(request))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    await close()
  })

  it('ends the call with PEER_LOST when the channel is lost in mid-answer', async () => {
    const model = createScriptedModel({ answer: 'a b c d', partDelayMs: 5 })
    const { remote, close } = connect(model)
    const reading = (async () => {
      for await (const part of remote.generate(request)) if (part.type === 'text-delta') await close()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'PEER_LOST' })
    await expect.poll(() => model.running).toBe(0)
  })

  it.each([
    ['parts of an unknown form', { type: 'text-delta', text: 5 }],
    ['nothing but an end', undefined],
  ])('refuses %s as PROTOCOL_ERROR', async (_, part) => {
    const [here, there] = createLinkedStreams()
    const handlers = {
      async *generate() {
        if (part) yield part
      },
    }
    createChannel(createStreamTransport(there), { handlers, peer: 'asker', clock: systemClock })
    const channel = createChannel(createStreamTransport(here), { peer: 'owner', clock: systemClock })
    const remote = createRemoteModel({ card: createScriptedModel().card, channel: async () => channel })
    await expect(collect(remote.generate(request))).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' })
    await channel.close()
  })

  it('passes on no distribution that does not sum to 1', async () => {
    const model = createScriptedModel({
      next: () => ({ kind: 'bytes', probabilities: new Float64Array(257).fill(0.1) }),
    })
    const { remote, close } = connect(model)
    const session = await remote.open?.(request)
    await expect(session?.next()).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    await close()
  })

  it('takes at most 200 bytes for a step of the ten best tokens', async () => {
    const candidates = Array.from({ length: 10 }, (_, index) => ({
      bytes: new TextEncoder().encode(` word${index}`),
      logprob: -2.3 - index / 7,
    }))
    const mass = candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)
    const residual = Math.max(0, 0.9 - mass)
    const model = createScriptedModel({
      next: () => ({ kind: 'tokens', candidates, end: Math.log(1 - mass - residual), residual }),
    })
    const handlers = createModelHandlers(() => [model])
    const body = { model: 'scripted', request, distribution: { kind: 'tokens', top: 10 } }
    const parts = (async function* () {
      yield { next: true }
    })()
    const sizes: number[] = []
    const context = { signal: new AbortController().signal, peer: 'asker' }
    for await (const part of handlers['decode']?.(body, { parts }, context) ?? [])
      sizes.push(encodeFrame({ type: 'call-part', call: -1000, part }).length)
    expect(sizes[1]).toBeLessThanOrEqual(200)
  })

  it('answers in the order of the questions when several are asked at once', async () => {
    const model = createScriptedModel({ answer: request => request.messages[0]?.content ?? '', partDelayMs: 1 })
    const { remote, close } = connect(model)
    const ask = (content: string): Promise<string> =>
      collect(remote.generate({ messages: [{ role: 'user', content }] })).then(textOf)
    expect(await Promise.all(['a b', 'c d e', 'f'].map(ask))).toEqual(['a b', 'c d e', 'f'])
    await close()
  })
})
