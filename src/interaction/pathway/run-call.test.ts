import { expect, it } from 'vitest'
import type { ChatMessage, GenerateRequest } from '../../protocol/index.ts'
import type { LanguageModel } from '../../resource/index.ts'
import { createScriptedCard, createScriptedModel } from '../../testing/index.ts'
import { createScriptedNetwork } from '../scripted-network.ts'

it('leaves out what does not fit the context of the model, and says so', async () => {
  const long = Array.from({ length: 400 }, (_, index) => `word${index}`).join(' ')
  const small = createScriptedModel({ id: 'small', node: 's', answer: 'short', contextLength: 300 })
  const network = createScriptedNetwork([
    ...['a', 'b', 'c'].map(id => createScriptedModel({ id, node: id, answer: `${id} ${long}` })),
    small,
  ])
  const result = await network.ask('What?', '(a|b|c) > small')
  expect(result.text).toBe('short')
  expect(network.events).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('left out to fit') }),
  )
  expect(JSON.stringify(small.requests.at(-1))).toContain('What?')
})

/** An engine that stops after `limit` words although nobody asked it to, and repeats itself when it goes on. */
const cutting = (words: readonly string[], limit: number, repeated: number): LanguageModel => ({
  card: createScriptedCard({ id: 'cut', node: 'n' }),
  async *generate({ messages }: GenerateRequest) {
    const last = messages.at(-1)
    const said = last?.role === 'assistant' ? last.content.split(' ').length : 0
    const from = Math.max(0, said - repeated)
    const part = words.slice(from, from + limit)
    yield { type: 'text-delta', text: (from > 0 && repeated === 0 ? ' ' : '') + part.join(' ') }
    const reason = from + limit >= words.length ? ('stop' as const) : ('length' as const)
    yield { type: 'finish', reason, usage: { promptTokens: 1, completionTokens: part.length } }
  },
})

it.each([0, 3])(
  'goes on with an answer that was cut off, without saying anything twice (%i words repeated)',
  async repeated => {
    const words = 'the quick brown fox jumps over the lazy dog and runs away'.split(' ')
    const network = createScriptedNetwork([cutting(words, 6 + repeated, repeated)], { analysis: { format: 'text' } })
    const result = await network.ask('?', 'cut')
    expect(result.text).toBe(words.join(' '))
    expect(result.finish).toBe('stop')
  },
)

/** As `cutting`, streaming letter by letter and beginning all over when asked to go on, as chat models do. */
const restarting = (text: string, limit: number): LanguageModel => ({
  card: createScriptedCard({ id: 'cut', node: 'n' }),
  async *generate({ messages }: GenerateRequest) {
    const isFirst = messages.at(-1)?.role !== 'assistant'
    const said = isFirst ? text.slice(0, limit) : text
    for (const letter of said) yield { type: 'text-delta', text: letter }
    yield { type: 'finish', reason: isFirst ? 'length' : 'stop', usage: { promptTokens: 1, completionTokens: limit } }
  },
})

it('goes on without repetition when the continuation comes in small pieces and begins all over', async () => {
  const text = Array.from({ length: 60 }, (_, index) => `Line ${index} of the answer.`).join('\n')
  const network = createScriptedNetwork([restarting(text, 900)], { analysis: { format: 'text' } })
  const result = await network.ask('?', 'cut')
  expect(result.text).toBe(text)
  const streamed = network.events.flatMap(event => (event.type === 'text-delta' ? [event.text] : []))
  expect(streamed.join('')).toBe(text)
})

it('keeps the beginning the user gave when it goes on with an answer', async () => {
  const asked: (readonly ChatMessage[])[] = []
  const inner = cutting('one two three four five six'.split(' '), 4, 0)
  const model: LanguageModel = {
    card: inner.card,
    generate: request => {
      asked.push(request.messages)
      return inner.generate({ ...request, messages: request.messages.slice(0, 1).concat(request.messages.slice(2)) })
    },
  }
  const messages = [
    { role: 'user', content: '?' },
    { role: 'assistant', content: 'Sure: ' },
  ] as const
  const network = createScriptedNetwork([model], { analysis: { format: 'text' } })
  await network.ask('?', 'cut', { messages })
  expect(asked.at(-1)?.at(-1)?.content).toBe('Sure: one two three four')
})

it('goes on within a budget of tokens that is not used up', async () => {
  const words = 'the quick brown fox jumps over the lazy dog'.split(' ')
  const network = createScriptedNetwork([cutting(words, 5, 0)], { analysis: { format: 'text' } })
  expect((await network.ask('?', 'cut', { budget: { tokens: 100 } })).text).toBe(words.join(' '))
})

it('does not go on where the request set the limit', async () => {
  const network = createScriptedNetwork([cutting('a b c d e f'.split(' '), 3, 0)])
  expect(await network.ask('?', 'cut', { options: { maxTokens: 3 } })).toMatchObject({
    text: 'a b c',
    finish: 'length',
  })
})
