import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GeneratePart, GenerateRequest } from '../protocol/index.ts'
import type { LanguageModel } from '../resource/index.ts'
import { createAdmission, withAdmission } from '../resource/index.ts'
import type { ScriptedModelOptions } from '../testing/index.ts'
import { createManualClock, createScriptedModel } from '../testing/index.ts'
import { systemClock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import { createCallRecord } from './call-record.ts'
import { createCircuitBreakers } from './circuit-breaker.ts'
import type { FailoverComponents, FailoverOptions, SwitchEvent } from './failover-model.ts'
import { createFailoverModel } from './failover-model.ts'
import type { Candidate } from './matching.ts'

const TEXT = 'one two three four five six seven eight nine ten'
const REQUEST: GenerateRequest = { messages: [{ role: 'user', content: 'count to ten' }] }
const lost = new ModelNetError('PEER_LOST', 'the connection ended')

function candidate(
  node: string,
  options: ScriptedModelOptions = {},
): Candidate & { model: ReturnType<typeof createScriptedModel> } {
  const model = createScriptedModel({ id: 'm', node, answer: TEXT, ...options })
  const ability = { mean: 0.9, deviation: 0.1, evidence: 10 }
  return { model, name: `${model.card.id}@${node}`, ability, latencyMs: 1, cost: 0 }
}

function failover(
  candidates: readonly Candidate[],
  parts: Partial<FailoverComponents> = {},
  options?: FailoverOptions,
): LanguageModel {
  return createFailoverModel(candidates, { clock: systemClock, ...parts }, options)
}

async function read(
  parts: AsyncIterable<GeneratePart>,
): Promise<{ text: string; finish: Extract<GeneratePart, { type: 'finish' }> | undefined }> {
  let text = ''
  let finish: Extract<GeneratePart, { type: 'finish' }> | undefined
  for await (const part of parts) {
    if (part.type === 'text-delta') text += part.text
    if (part.type === 'finish') finish = part
  }
  return { text, finish }
}

describe('several candidates as one model', () => {
  it('gives the same text and usage wherever the holder dies', async () => {
    const whole = await read(candidate('a').model.generate(REQUEST))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 4 }), async positions => {
        const dying = positions.map((afterParts, index) =>
          candidate(`n${index}`, { failure: { afterParts, error: lost } }),
        )
        expect(await read(failover([...dying, candidate('last')]).generate(REQUEST))).toEqual(whole)
      }),
      { numRuns: 100 },
    )
  })

  it('continues an assistant prefix that the request already had', async () => {
    const messages = [...REQUEST.messages, { role: 'assistant', content: 'one two' } as const]
    const model = failover([candidate('a', { failure: { afterParts: 3, error: lost } }), candidate('b')])
    expect((await read(model.generate({ messages }))).text).toBe(TEXT.slice('one two'.length))
  })

  it('keeps the limit of tokens over a switch', async () => {
    const whole = await read(candidate('a').model.generate({ ...REQUEST, maxTokens: 4 }))
    for (const afterParts of [0, 2, 4]) {
      const model = failover([candidate('a', { failure: { afterParts, error: lost } }), candidate('b')])
      expect(await read(model.generate({ ...REQUEST, maxTokens: 4 }))).toEqual(whole)
    }
  })

  it('starts a JSON answer anew and streams only what is new', async () => {
    const answer = '{"a": 1, "b": 2}'
    const second = candidate('b', { answer })
    const model = failover([candidate('a', { answer, failure: { afterParts: 2, error: lost } }), second])
    expect((await read(model.generate({ ...REQUEST, jsonSchema: { type: 'object' } }))).text).toBe(answer)
    expect(second.model.requests[0]?.messages).toEqual(REQUEST.messages)
  })

  it('fails rather than joining two different JSON answers', async () => {
    const model = failover([
      candidate('a', { answer: '{"a": 1, "b": 2}', failure: { afterParts: 2, error: lost } }),
      candidate('b', { answer: '{"c": 1, "b": 2}' }),
    ])
    await expect(read(model.generate({ ...REQUEST, jsonSchema: {} }))).rejects.toMatchObject({ code: 'PEER_LOST' })
  })

  it.each(['INVALID_REQUEST', 'CONTEXT_OVERFLOW', 'FORBIDDEN', 'UNSUPPORTED'] as const)(
    'throws %s at once and blames nobody',
    async code => {
      const breakers = createCircuitBreakers({ clock: systemClock }, { failures: 1 })
      const second = candidate('b')
      const model = failover([candidate('a', { failure: { error: new ModelNetError(code, 'no') } }), second], {
        breakers,
      })
      await expect(read(model.generate(REQUEST))).rejects.toMatchObject({ code })
      expect(second.model.requests).toHaveLength(0)
      expect(breakers.state('m@a')).toBe('closed')
    },
  )

  it('opens the circuit of a failing node and leaves it out of the next call', async () => {
    const breakers = createCircuitBreakers({ clock: systemClock }, { failures: 1 })
    const first = candidate('a', { failure: { error: lost } })
    const model = failover([first, candidate('b')], { breakers })
    await read(model.generate(REQUEST))
    await read(model.generate(REQUEST))
    expect(breakers.state('m@a')).toBe('open')
    expect(first.model.requests).toHaveLength(1)
  })

  it('gives up at once while the one trial of every circuit is on its way', async () => {
    const breakers = createCircuitBreakers({ clock: systemClock }, { failures: 1, openMs: 0 })
    breakers.fail('m@a')
    await new Promise(resolve => setTimeout(resolve))
    expect([breakers.enter('m@a'), breakers.state('m@a')]).toEqual([true, 'half-open'])
    await expect(read(failover([candidate('a')], { breakers }).generate(REQUEST))).rejects.toMatchObject({
      code: 'NO_CANDIDATE',
    })
  })

  it('does not blame a node for the short time of the caller', async () => {
    const breakers = createCircuitBreakers({ clock: systemClock }, { failures: 1 })
    const late = new ModelNetError('DEADLINE_EXCEEDED', 'late')
    await read(failover([candidate('a', { failure: { error: late } }), candidate('b')], { breakers }).generate(REQUEST))
    expect(breakers.state('m@a')).toBe('closed')
  })

  it('prefers a copy of the lost model to a better-ranked other model in mid-answer', async () => {
    const other = candidate('b', { id: 'other' })
    const copy = candidate('c')
    await read(failover([candidate('a', { failure: { afterParts: 2, error: lost } }), other, copy]).generate(REQUEST))
    expect([other.model.requests.length, copy.model.requests.length]).toEqual([0, 1])
  })

  it('moves on from a peer that falls silent and cancels its work', async () => {
    const silent = candidate('a', { hang: true })
    const model = failover([silent, candidate('b')], {}, { stallMs: 20 })
    expect((await read(model.generate(REQUEST))).text).toBe(TEXT)
    expect(silent.model.running).toBe(0)
  })

  it('waits for its turn at a busy peer as long as the caller has time, and does not take the queue for silence', async () => {
    const clock = createManualClock()
    const admission = createAdmission({ clock })
    const slow = candidate('a', { clock, firstDelayMs: 15_000, partDelayMs: 3000, card: { concurrency: 1 } })
    const busy = { ...slow, model: withAdmission(slow.model, admission, 'local') }
    const breakers = createCircuitBreakers({ clock }, { failures: 1 })
    const answers = [1, 2, 3].map(() =>
      read(createFailoverModel([busy], { clock, breakers }).generate(REQUEST, { deadlineMs: 300_000 })),
    )
    for (let passed = 0; passed < 150_000; passed += 1000) await clock.advance(1000)
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual([TEXT, TEXT, TEXT])
    expect([breakers.state('m@a'), clock.sleepers]).toEqual(['closed', 0])
  })

  it('gives its place in a queue back when its reader goes away', async () => {
    const clock = createManualClock()
    const admission = createAdmission({ clock })
    const { model, ...rest } = candidate('a', { clock, card: { concurrency: 1 } })
    const held = await admission.enter(model.card, { caller: 'somebody' })
    const waiting = createFailoverModel([{ ...rest, model: withAdmission(model, admission, 'local') }], { clock })
    const gone = new AbortController()
    const reading = read(waiting.generate(REQUEST, { signal: gone.signal }))
    await clock.advance(60_000)
    gone.abort(new Error('the reader went away'))
    await expect(reading).rejects.toThrow('the reader went away')
    await clock.advance(0)
    held.release()
    expect(admission.status(model.card)).toMatchObject({ running: 0, queued: 0 })
    expect(model.requests).toHaveLength(0)
  })

  it('asks a second candidate when the first is later than usual, and takes the sooner one', async () => {
    const calls = createCallRecord({ clock: systemClock })
    for (let call = 0; call < 20; call++) calls.begin('m@a')({ firstPartMs: 5 })
    const late = candidate('a', { hang: true })
    const switches: SwitchEvent[] = []
    const onSwitch = (event: SwitchEvent): void => void switches.push(event)
    const model = failover([late, candidate('b')], { calls, onSwitch }, { minHedgeMs: 5 })
    expect((await read(model.generate(REQUEST))).text).toBe(TEXT)
    expect(late.model.cancelled).toBe(1)
    expect(switches).toEqual([{ from: 'm@a', to: 'm@b', code: 'OUTRUN', at: 0 }])
    expect(calls.outstanding('m@a')).toBe(0)
  })

  it('tells who answers when the first fails while the second is asked already, and when its circuit is shut', async () => {
    const calls = createCallRecord({ clock: systemClock })
    for (let call = 0; call < 20; call++) calls.begin('m@a')({ firstPartMs: 1 })
    const breakers = createCircuitBreakers({ clock: systemClock }, { failures: 1 })
    const switches: SwitchEvent[] = []
    const parts = { calls, breakers, onSwitch: (event: SwitchEvent): void => void switches.push(event) }
    const dying = candidate('a', { firstDelayMs: 20, failure: { error: lost } })
    const second = candidate('b', { firstDelayMs: 60 })
    await read(failover([dying, second], parts, { minHedgeMs: 1 }).generate(REQUEST))
    await read(failover([dying, second], parts, { minHedgeMs: 1 }).generate(REQUEST))
    expect(switches.map(({ from, to, code }) => [from, to, code])).toEqual([
      ['m@a', 'm@b', 'PEER_LOST'],
      ['m@a', 'm@b', 'SKIPPED'],
    ])
  })

  it('waits the longer with a second call the busier the second candidate is', async () => {
    const clock = createManualClock()
    const calls = createCallRecord({ clock })
    for (let call = 0; call < 20; call++) calls.begin('m@a')({ firstPartMs: 100 })
    const busy = { ...candidate('b'), load: 3 }
    const model = createFailoverModel([candidate('a', { hang: true }), busy], { clock, calls })
    const reading = read(model.generate(REQUEST))
    await clock.advance(299)
    expect(busy.model.requests).toHaveLength(0)
    await clock.advance(1)
    expect((await reading).text).toBe(TEXT)
  })

  it('never hedges with a weaker model: an early answer is worth less than a right one', async () => {
    const calls = createCallRecord({ clock: systemClock })
    for (let call = 0; call < 20; call++) calls.begin('m@a')({ firstPartMs: 1 })
    const weaker = { ...candidate('b', { id: 'weak' }), ability: { mean: 0.6, deviation: 0.1, evidence: 10 } }
    const model = failover([candidate('a', { firstDelayMs: 30 }), weaker], { calls }, { minHedgeMs: 1 })
    expect((await read(model.generate(REQUEST))).text).toBe(TEXT)
    expect(weaker.model.requests).toHaveLength(0)
  })

  it('stops the engine when the caller goes away, and does not try others', async () => {
    const controller = new AbortController()
    const [first, second] = [candidate('a', { hang: true }), candidate('b')]
    const reading = read(failover([first, second]).generate(REQUEST, { signal: controller.signal }))
    controller.abort(new ModelNetError('CANCELLED', 'gone'))
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' })
    expect([first.model.running, second.model.requests.length]).toEqual([0, 0])
  })

  it('stops the engine when the reader stops', async () => {
    const first = candidate('a')
    for await (const part of failover([first]).generate(REQUEST)) if (part.type === 'text-delta') break
    expect(first.model.running).toBe(0)
  })

  it('keeps the deadline over all candidates together', async () => {
    const model = failover([candidate('a', { hang: true }), candidate('b', { hang: true })])
    await expect(read(model.generate(REQUEST, { deadlineMs: 20 }))).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })

  it('throws the last error when everyone failed, and NO_CANDIDATE without anyone', async () => {
    const model = failover([candidate('a', { failure: { error: lost } }), candidate('b', { failure: {} })])
    await expect(read(model.generate(REQUEST))).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    expect(() => failover([])).toThrow(expect.objectContaining({ code: 'NO_CANDIDATE' }))
  })

  it('keeps the soonest time to come again, whatever failed after it was said', async () => {
    const full = (retryAfterMs: number): ModelNetError =>
      new ModelNetError('OVERLOADED', 'the queue is full', { details: { retryAfterMs } })
    const failing = (errors: readonly ModelNetError[]): Candidate[] =>
      errors.map((error, index) => candidate(`n${index}`, { failure: { afterParts: 0, error } }))
    const ended = { code: 'PEER_LOST', details: { retryAfterMs: 300 } }
    const model = failover(failing([full(900), full(300), lost]))
    await expect(read(model.generate(REQUEST))).rejects.toMatchObject(ended)
    await expect(model.open?.(REQUEST)).rejects.toMatchObject(ended)
    const wrong = new ModelNetError('INVALID_REQUEST', 'no such option')
    await expect(read(failover(failing([full(900), wrong])).generate(REQUEST))).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: {},
    })
  })

  it('continues a decode session at a copy, from the committed bytes', async () => {
    const switches: string[] = []
    const model = failover(
      [candidate('a', { failure: { afterParts: 3, error: lost } }), candidate('x', { id: 'other' }), candidate('b')],
      { onSwitch: ({ to }) => switches.push(to ?? 'nobody') },
    )
    const session = await model.open?.(REQUEST)
    const bytes: number[] = []
    for (let step = 0; step < 8 && session; step++) {
      const distribution = await session.next()
      if (distribution.kind !== 'bytes') throw new Error('expected bytes')
      const best = distribution.probabilities.indexOf(Math.max(...distribution.probabilities))
      bytes.push(best)
      await session.commit(Uint8Array.of(best))
    }
    await session?.close()
    expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe(TEXT.slice(0, 8))
    expect(switches).toEqual(['m@b'])
  })

  it('scores with the next candidate when one fails', async () => {
    const broken = candidate('a')
    await broken.model.close()
    const score = await failover([broken, candidate('b')]).score?.({ ...REQUEST, text: 'one' })
    expect(score?.bytes).toBe(3)
  })
})
