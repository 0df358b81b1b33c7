import { describe, expect, it } from 'vitest'
import type { GenerateRequest } from '../protocol/index.ts'
import { createManualClock, createScriptedModel } from '../testing/index.ts'
import { systemClock } from '../utils/clock.ts'
import { isModelNetError, ModelNetError } from '../utils/errors.ts'
import { asLanguageModel } from './network-model.ts'
import { createScriptedNetwork } from './scripted-network.ts'
import type { Trace } from './trace.ts'
import { parseTrace } from './trace.ts'

const model = (id: string, answer: string, extra: object = {}): ReturnType<typeof createScriptedModel> =>
  createScriptedModel({ id, node: `node-${id}`, answer, card: { tags: ['skill:arithmetic'] }, ...extra })

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
  } catch (error) {
    return isModelNetError(error) ? error.code : String(error)
  }
  return 'no error'
}

describe('asking the network', () => {
  it('chooses the best model by itself and says why', async () => {
    const network = createScriptedNetwork([model('weak', '1'), model('strong', '85')], {
      abilities: { strong: 0.95, weak: 0.4 },
    })
    const result = await network.ask('What is 38 + 47?')
    expect(result).toMatchObject({ text: '85', finish: 'stop', pathway: '@arithmetic' })
    expect(result.why).toContain('strong@node-strong')
    expect(result.members).toMatchObject([{ model: 'strong', node: 'node-strong', share: 1 }])
    expect(streamed(network.events)).toBe('85')
  })

  it('runs the pathway it is given, by text, JSON, term or strategy name', async () => {
    const network = createScriptedNetwork([model('a', '4'), model('b', '4'), model('c', '5')])
    for (const pathway of [
      '(a|b|c) ! vote',
      { seq: [{ par: [{ call: 'a' }, { call: 'b' }, { call: 'c' }] }, { pick: 'vote' }] },
      '{"strategy":"vote"}',
      'vote',
      'vote(@arithmetic, n=3)',
    ])
      expect((await network.ask('2 + 2?', pathway)).text).toBe('4')
  })

  it('refuses names that do not exist, with what was probably meant', async () => {
    const network = createScriptedNetwork([model('qwen', '4'), model('llama', '4')])
    expect(await codeOf(network.ask('2 + 2?', 'quen'))).toBe('MODEL_NOT_FOUND')
    await expect(network.ask('2 + 2?', 'quen')).rejects.toThrow('did you mean qwen?')
    expect(await codeOf(network.ask('2 + 2?', 'qwen > quen'))).toBe('MODEL_NOT_FOUND')
    expect(await codeOf(network.ask('2 + 2?', 'wote(qwen)'))).toBe('INVALID_PATHWAY')
    await expect(network.ask('2 + 2?', 'wote(qwen)')).rejects.toThrow('vote')
    expect(await codeOf(network.ask('2 + 2?', 'qwen ! wote'))).toBe('INVALID_PATHWAY')
    expect(await codeOf(network.ask('2 + 2?', '@chess'))).toBe('NO_CANDIDATE')
    expect(await codeOf(network.ask('2 + 2?', '{"seq":'))).toBe('INVALID_PATHWAY')
  })

  it('streams the text of the last stage while it is made', async () => {
    const network = createScriptedNetwork([model('a', 'first draft'), model('b', 'the final text here')])
    const result = await network.ask('?', 'a > b')
    expect(result.text).toBe('the final text here')
    const deltas = network.events.filter(event => event.type === 'text-delta')
    expect(deltas.length).toBeGreaterThan(1)
    expect(streamed(network.events)).toBe(result.text)
  })

  it('keeps the best answer so far when a later stage fails', async () => {
    const broken = model('b', 'x', { failure: { afterParts: 0 } })
    const network = createScriptedNetwork([model('a', 'good'), broken])
    expect((await network.ask('?', 'a > b')).text).toBe('good')
    expect(streamed(network.events)).toBe('good')
  })

  it('takes back what a failed last stage had streamed', async () => {
    const broken = model('b', 'half of a text', { failure: { afterParts: 2 } })
    const network = createScriptedNetwork([model('a', 'good'), broken])
    expect((await network.ask('?', 'a > b')).text).toBe('good')
    expect(network.events.some(event => event.type === 'text-reset')).toBe(true)
    expect(streamed(network.events)).toBe('good')
  })

  it('goes on with another node of the model when one dies in mid-answer, and says so', async () => {
    const dying = createScriptedModel({
      id: 'a',
      node: 'one',
      answer: 'one two three',
      failure: { afterParts: 1, calls: 1 },
    })
    const network = createScriptedNetwork([
      dying,
      createScriptedModel({ id: 'a', node: 'two', answer: 'one two three' }),
    ])
    const result = await network.ask('?', 'a')
    expect(result.text).toBe('one two three')
    expect(result.members).toMatchObject([{ model: 'a', node: 'two' }])
    expect(network.events).toContainEqual(
      expect.objectContaining({ type: 'note', message: expect.stringContaining('takes over') }),
    )
  })

  it('stops before a call the budget does not allow, and keeps what it has', async () => {
    const network = createScriptedNetwork([model('a', '1'), model('b', '2')])
    expect(await codeOf(network.ask('?', 'a', { budget: { calls: 1, cost: 0, tokens: 1 } }))).toBe('no error')
    expect((await network.ask('?', 'a > b', { budget: { calls: 1 } })).text).toBe('1')
    expect((await network.ask('?', 'a', { budget: { tokens: 2 } })).usage.completionTokens).toBeLessThanOrEqual(2)
    const dear = model('dear', '3', {
      card: { tags: ['skill:arithmetic'], price: { currency: 'USD', input: 1e6, output: 1e6 } },
    })
    expect(await codeOf(createScriptedNetwork([dear]).ask('?', 'dear', { budget: { cost: 0.5 } }))).toBe(
      'BUDGET_EXCEEDED',
    )
  })

  it('spends no more than the budget when several are asked at once', async () => {
    const price = { currency: 'USD', input: 0, output: 1e6 } // one dollar a token
    const dear = ['a', 'b', 'c'].map(id => model(id, 'one two three four', { card: { tags: [], price } }))
    const network = createScriptedNetwork(dear, { analysis: { format: 'text' } })
    expect((await network.ask('?', 'a | b | c', { budget: { cost: 6 } })).cost).toBeLessThanOrEqual(6)
    expect((await network.ask('?', 'a | b > c', { budget: { cost: 5 } })).cost).toBeLessThanOrEqual(5)
    expect((await network.ask('?', 'a + b', { budget: { cost: 4 } })).cost).toBeLessThanOrEqual(4)
    expect((await network.ask('?', 'a + b', { budget: { tokens: 40 } })).text).toBe('one two three four')
  })

  it('gives what it has at the deadline, or fails clearly', async () => {
    const network = createScriptedNetwork([model('a', '4'), model('slow', '5', { hang: true })])
    expect((await network.ask('?', '(a|slow) ! vote', { budget: { deadlineMs: 300 } })).text).toBe('4')
    expect((await network.ask('?', 'a > slow', { budget: { deadlineMs: 300 } })).text).toBe('4')
    expect(await codeOf(network.ask('?', 'slow', { budget: { deadlineMs: 300 } }))).toBe('DEADLINE_EXCEEDED')
  })

  it('ends at once when the caller goes away, and frees every model', async () => {
    const slow = model('slow', '5', { hang: true })
    const network = createScriptedNetwork([slow, model('a', '4')])
    const controller = new AbortController()
    const asking = network.ask('?', '(slow|slow|slow) ! vote', { signal: controller.signal })
    setTimeout(() => controller.abort(new ModelNetError('CANCELLED', 'gone')), 5)
    expect(await codeOf(asking)).toBe('CANCELLED')
    expect(slow.running).toBe(0)
  })

  it('gives the same text again from the trace, asking nobody', async () => {
    const models = [model('a', '4'), model('b', '5'), model('c', '4', { failure: { afterParts: 0 } })]
    const network = createScriptedNetwork(models)
    for (const pathway of ['(a|b|c) ! weighted', 'a > b', '(a|b) ?{agree} a', 'a + b', 'consistency(a, n=3)']) {
      const { text, trace } = await network.ask('2 + 2?', pathway)
      const before = models.map(({ requests }) => requests.length)
      const stored = parseTrace(JSON.parse(JSON.stringify(trace)))
      const run = network.coordinator.replay(stored)
      let step = await run.next()
      while (!step.done) step = await run.next()
      expect(step.value.text).toBe(text)
      expect(models.map(({ requests }) => requests.length)).toEqual(before)
    }
  })

  it('replays runs that were stopped early, cut off, or answered from memory', async () => {
    const replayed = async (network: ReturnType<typeof createScriptedNetwork>, trace: Trace): Promise<string> => {
      const run = network.coordinator.replay(parseTrace(JSON.parse(JSON.stringify(trace))))
      let step = await run.next()
      while (!step.done) step = await run.next()
      return step.value.text
    }
    const hanging = createScriptedNetwork([model('slow', '5', { hang: true }), model('a', '4'), model('b', '4')])
    const quorum = { par: [{ call: 'slow' }, { call: 'a' }, { call: 'b' }], quorum: 2, tolerate: 0 }
    const stopped = await hanging.ask('?', { seq: [quorum, { pick: 'vote' }] })
    expect(await replayed(hanging, stopped.trace)).toBe(stopped.text)

    const clock = createManualClock()
    const slow = model('slow', 'one two three four', { partDelayMs: 100, clock })
    const network = createScriptedNetwork([slow], { clock, analysis: { format: 'text' } })
    const asking = network.ask('?', 'slow', { budget: { deadlineMs: 250 } })
    await clock.advance(400)
    const cut = await asking
    expect(cut).toMatchObject({ text: 'one two three', finish: 'length' })
    expect(await replayed(network, cut.trace)).toBe(cut.text)

    const cached = createScriptedNetwork([model('a', '4')])
    await cached.ask('2 + 2?', 'cached(a)')
    const known = await cached.ask('2 + 2?', 'cached(a)')
    expect(known.usage.completionTokens).toBe(0)
    expect(await replayed(cached, known.trace)).toBe('4')
  })

  it('does not remember that it did not know', async () => {
    let right = 'false'
    const judge = model('j', '', {
      answer: ({ messages }: GenerateRequest) => (/true or false/.test(messages[0]?.content ?? '') ? right : 'hm'),
    })
    const network = createScriptedNetwork([judge, model('a', '4')], { abilities: { j: 0.9 } })
    expect((await network.ask('2 + 2?', 'cached(abstain(a))')).text).toBe('I do not know.')
    right = 'true'
    expect((await network.ask('2 + 2?', 'cached(abstain(a))')).text).toBe('4')
  })

  it('tells the same story twice for the same seed', async () => {
    const tell = async (): Promise<unknown> => {
      const network = createScriptedNetwork([model('a', '4'), model('b', '5')])
      const { trace } = await network.ask('2 + 2?', '(a|b) > a', { options: { seed: 3 } })
      return trace.events.map(({ at: _at, ...event }) => ({ ...event, ms: 0, firstMs: 0 }))
    }
    expect(await tell()).toEqual(await tell())
  })

  it('is itself a model that can be asked', async () => {
    const network = createScriptedNetwork([model('a', 'four apples')])
    const whole = asLanguageModel(network.coordinator, { node: 'here', clock: systemClock, pathway: 'a' })
    const parts = []
    for await (const part of whole.generate({ messages: [{ role: 'user', content: '?' }] })) parts.push(part)
    expect(parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')).toBe('four apples')
    expect(parts.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
  })

  it('never shows hidden reasoning', async () => {
    const network = createScriptedNetwork([model('a', '<think>secret plan</think>42')])
    expect((await network.ask('?', 'a')).text).toBe('42')
    expect(streamed(network.events)).toBe('42')
  })

  it('writes one text with two models', async () => {
    const network = createScriptedNetwork([model('a', 'forty-two'), model('b', 'forty-two')])
    const result = await network.ask('?', 'a + b')
    expect(result.text).toBe('forty-two')
    expect(result.members.map(({ share }) => share).reduce((x, y) => x + y, 0)).toBeCloseTo(1)
    expect(result.members).toHaveLength(2)
  })
})

function streamed(events: readonly { readonly type: string; readonly text?: string }[]): string {
  let text = ''
  for (const event of events) {
    if (event.type === 'text-reset') text = ''
    else if (event.type === 'text-delta') text += event.text
  }
  return text
}
