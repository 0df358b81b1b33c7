import { describe, expect, it } from 'vitest'
import type { NetworkEmbedder } from '../../interaction/index.ts'
import { loadTextRouter, type TextRouter, trainTextRouter } from '../../service/index.ts'
import { createManualClock } from '../../testing/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { createQuestionReader } from './question-reader.ts'

const QUESTIONS = ['plum', 'pear', 'grape', 'engine', 'brake', 'wheel'].flatMap(word =>
  ['what is a', 'tell me of the', 'where is my', 'who has the'].map(start => `${start} ${word}`),
)
const isFruit = (text: string): boolean => /plum|pear|grape|Pflaume/.test(text)
/** Fruit and parts stand apart, in any language; each text has a place of its own besides. */
const vectorOf = (text: string): readonly number[] => {
  const angle = (isFruit(text) ? 0 : Math.PI / 2) + (text.length % 5) / 20
  return [0.8 * Math.cos(angle), 0.8 * Math.sin(angle), 0.6]
}
const table = {
  questions: QUESTIONS,
  arms: ['gardener', 'mechanic'],
  scores: Float32Array.from(QUESTIONS.flatMap(text => (isFruit(text) ? [1, 0] : [0, 1]))),
}
const words = trainTextRouter(table, { dimensions: 4096, latentSize: 8 })
const embedding = { model: 'encoder', vectors: QUESTIONS.map(vectorOf) }
const router: TextRouter = loadTextRouter(
  JSON.parse(JSON.stringify({ ...trainTextRouter(table, { embedding }), words })),
)

function setUp(answer: (text: string) => Promise<readonly number[]> = async text => vectorOf(text)) {
  const clock = createManualClock()
  const asked: string[] = []
  const embed: NetworkEmbedder = async (model, [text = '']) => {
    asked.push(`${model}: ${text}`)
    return { embeddings: [await answer(text)], promptTokens: 1, model, node: 'there' }
  }
  return { clock, asked, reader: createQuestionReader({ router, embed, clock }, { timeoutMs: 100, restMs: 5000 }) }
}
const bestOf = async (reader: ReturnType<typeof createQuestionReader>, text: string): Promise<string> => {
  const read = await reader.read(text)
  return read.router.choose(read.question).arm
}

describe('a router that reads vectors of a model', () => {
  it('names its encoder, keeps words beside it, and knows questions that share no word with its training', async () => {
    expect(router.encoder).toBe('encoder')
    expect(router.words?.encoder).toBeUndefined()
    const { reader } = setUp()
    expect(await bestOf(reader, 'Pflaume?')).toBe('gardener')
    expect(await bestOf(reader, 'Getriebe?')).toBe('mechanic')
  })

  it('asks for the vector of a text once', async () => {
    const { reader, asked } = setUp()
    expect(reader.recall('a plum').question).toBe('a plum')
    await reader.read('a plum')
    await reader.read('a plum')
    expect(asked).toEqual(['encoder: a plum'])
    expect(reader.recall('a plum').question).toEqual(vectorOf('a plum'))
  })

  it.each([
    [
      'is not there',
      new ModelNetError('MODEL_NOT_FOUND', 'no node offers encoder'),
      /encoder cannot be asked \(no node/,
    ],
    ['is late', new ModelNetError('DEADLINE_EXCEEDED', 'late'), /encoder did not answer within 100 ms/],
  ])('goes by words when its encoder %s, says why, and asks it again after a rest', async (_, error, why) => {
    let fails = true
    const { reader, asked, clock } = setUp(async text => {
      if (fails) throw error
      return vectorOf(text)
    })
    const read = await reader.read('what is a plum')
    expect(read).toMatchObject({ router: router.words, question: 'what is a plum', note: expect.stringMatching(why) })
    expect(read.router.choose(read.question).arm).toBe('gardener')
    fails = false
    expect((await reader.read('what is a pear')).note).toMatch(why)
    expect(asked).toHaveLength(1)
    await clock.advance(5001)
    expect((await reader.read('what is a pear')).note).toBeUndefined()
  })

  it('goes by words when another model stands behind the name of its encoder', async () => {
    const { reader } = setUp(async () => [1, 0, 0, 0])
    expect((await reader.read('what is a plum')).note).toMatch(/gives 4 numbers, the router learned from 3/)
  })

  it('lets an abort of the request through', async () => {
    const { reader } = setUp(async () => {
      throw new DOMException('stop', 'AbortError')
    })
    await expect(reader.read('what is a plum')).rejects.toThrow('stop')
  })

  it('refuses a text where a vector is expected, and a file without a router by words', () => {
    expect(() => router.estimate('what is a plum')).toThrow(/expected the vector of a question by encoder/)
    expect(() => router.words?.estimate([1, 0, 0])).toThrow(/expected the text/)
    const bare = loadTextRouter(trainTextRouter(table, { embedding }))
    const embed = async (): Promise<never> => Promise.reject(new Error('not asked'))
    expect(() => createQuestionReader({ router: bare, embed, clock: createManualClock() })).toThrow(/none by words/)
  })
})
