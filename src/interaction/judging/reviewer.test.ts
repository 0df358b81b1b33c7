import { describe, expect, it } from 'vitest'
import { BARE_TAG } from '../../protocol/index.ts'
import { createScriptedModel } from '../../testing/index.ts'
import { createRandom } from '../../utils/random.ts'
import { evaluateMutually } from '../mutual/evaluate.ts'
import { GraphStore } from '../mutual/graph-store.ts'
import { createScriptedNetwork } from '../scripted-network.ts'
import { readReview, reviewPrompt } from './reviewer.ts'

const QUESTION = 'What is 58 plus 27?'

/** Knows one sum, and reads nothing but the form it was trained on. */
const reviewer = (): ReturnType<typeof createScriptedModel> =>
  createScriptedModel({
    id: 'reviewer',
    node: 'r',
    card: { tags: ['skill:review'] },
    answer: ({ messages }) => {
      const proposed = new RegExp(`^Question: ${QUESTION.replace('?', '\\?')}\\nAnswer: (.*)$`).exec(
        messages.at(-1)?.content ?? '',
      )?.[1]
      if (proposed === undefined) return 'purple'
      return proposed === '85'
        ? '(58+27: 8+7=15, 5+2+1=8; 85,85: 8=8, 5=5) correct'
        : '(58+27: 8+7=15, 5+2+1=8) wrong: 85'
    },
  })
const says = (id: string, answer: string): ReturnType<typeof createScriptedModel> =>
  createScriptedModel({ id, node: id, answer })

describe('a model trained to review', () => {
  it('corrects a wrong answer and leaves a right one as it was', async () => {
    const members = [says('a', 'It is 84.'), says('b', '(8+7=15) 85'), says('c', 'That makes 85.'), reviewer()]
    const network = createScriptedNetwork(members, { analysis: { format: 'number' } })
    expect(await network.ask(QUESTION, 'a > reviewer')).toMatchObject({ text: '85' })
    expect(await network.ask(QUESTION, 'c > reviewer')).toMatchObject({ text: 'That makes 85.' })
    expect(await network.ask(QUESTION, 'serial(b, reviewer)')).toMatchObject({ text: '(8+7=15) 85' })
  })

  it('keeps the answer when it says nothing that can be read', async () => {
    const network = createScriptedNetwork([says('a', '84'), reviewer()])
    expect((await network.ask('Who wrote Faust?', 'a > reviewer')).text).toBe('84')
    expect(network.events).toContainEqual(
      expect.objectContaining({ type: 'note', message: expect.stringContaining('nothing clear') }),
    )
  })

  it('approves or objects where a strategy needs a judge', async () => {
    const network = createScriptedNetwork([says('a', '84'), says('b', '85'), reviewer()])
    const asked = async (who: string): Promise<string> =>
      (await network.ask(QUESTION, `${who} ?{approved, by=@review} "b"`)).text
    expect(await asked('b')).toBe('85')
    expect(await asked('a')).toBe('85')
  })

  it('grades others in mutual evaluation, and is not asked the questions itself', async () => {
    const store = new GraphStore()
    const judge = reviewer()
    const counts = await evaluateMutually([says('wrong', '84'), says('right', '85'), judge], [QUESTION], store, {
      random: createRandom(1),
    })
    // the other two say a number, which is no grade
    expect(counts).toEqual({ grades: 2, unreadable: 2, failed: 0 })
    expect(judge.requests).toHaveLength(2)
  })

  it('is shown the answer alone, below a question whose end is marked', () => {
    expect(reviewPrompt('27 + 0 - 6', '(27+0: 7+0=7) 21')).toBe('Question: 27 + 0 - 6?\nAnswer: 21')
    expect(reviewPrompt('Add 1 to 2.', 'It is 3.', 'number')).toBe('Question: Add 1 to 2.\nAnswer: 3')
  })

  it('is seen through its worked steps, and anything but its own two words is an abstention', () => {
    expect(readReview('(1+1=2; 2,2: 2=2) correct')).toEqual({ verdict: 'yes' })
    expect(readReview('(1+1=2; 2,3: 2<3) wrong: 2')).toEqual({ verdict: 'no', correction: '2' })
    for (const text of ['', 'wrong', 'wrong:', 'maybe', 'not correct', '(correct'])
      expect(readReview(text)).toEqual({ verdict: undefined })
  })
})

describe('a model that knows bare questions only', () => {
  /** Writes noise to whatever is not the bare question. */
  const bare = (id: string, answer: string): ReturnType<typeof createScriptedModel> =>
    createScriptedModel({
      id,
      node: id,
      card: { tags: [BARE_TAG] },
      answer: ({ messages }) => (messages.length === 1 && messages[0]?.content === QUESTION ? answer : 'purple 7'),
    })
  const trained = (): ReturnType<typeof createScriptedModel> => {
    const model = reviewer()
    return { ...model, card: { ...model.card, tags: ['skill:review', BARE_TAG] } }
  }

  it.each([
    'a > b',
    'serial(a, b, c)',
    'moa(a | b, layers=2, by=c)',
    'self-moa(a, n=2)',
    'roles(a, b, c)',
    's2p(a, b, c)',
    'p2s(a, b, c)',
    'debate(a | b | c)',
  ])('is asked the question itself in %s, as it cannot read quotes', async pathway => {
    const network = createScriptedNetwork(
      ['a', 'b', 'c'].map(id => bare(id, '85')),
      { analysis: { format: 'number' } },
    )
    expect((await network.ask(QUESTION, pathway)).text).toBe('85')
  })

  it('is not asked to judge, and the reviewer is where there is one', async () => {
    const members = [bare('a', '84'), bare('b', '85'), trained()]
    const abilities = { a: 0.9, b: 0.8, reviewer: 0.1 }
    const network = createScriptedNetwork(members, { analysis: { format: 'number' }, abilities })
    expect((await network.ask(QUESTION, 'rank(a | b)')).text).toBe('85')
    expect((await network.ask(QUESTION, 'rank-fuse(a | b, by=reviewer)')).text).toBe('85')
    expect((await network.ask(QUESTION, 'dynamic(a)')).text).toBe('85')
    expect((await network.ask(QUESTION, 'verified(a, b, judges=1)')).text).toBe('85')
    expect((await network.ask(QUESTION, 'abstain(b)')).text).toBe('85')
    expect((await network.ask(QUESTION, 'abstain(a)')).text).toBe('I do not know.')
    const asked = members.slice(0, 2).flatMap(({ requests }) => requests.map(({ messages }) => messages[0]?.content))
    expect(new Set(asked)).toEqual(new Set([QUESTION]))
  })

  it('that reviews other fields leaves an answer as it is, in a replay too', async () => {
    const stranger = { ...trained(), card: { ...trained().card, tags: ['skill:review', 'review:units', BARE_TAG] } }
    const network = createScriptedNetwork([bare('a', '84'), stranger], { analysis: { format: 'number' } })
    for (const pathway of ['a > reviewer', 'dynamic(a)']) {
      const { text, trace } = await network.ask(QUESTION, pathway)
      expect(text).toBe('84')
      expect(network.events).not.toContainEqual(expect.objectContaining({ type: 'call-start', model: 'reviewer' }))
      const replay = network.coordinator.replay(trace)
      let step = await replay.next()
      while (!step.done) step = await replay.next()
      expect(step.value.text).toBe('84')
    }
  })

  it('gives no grades in mutual evaluation', async () => {
    const store = new GraphStore()
    const counts = await evaluateMutually([bare('a', '85'), bare('b', '84'), trained()], [QUESTION], store, {
      random: createRandom(1),
    })
    expect(counts).toMatchObject({ grades: 2, unreadable: 0 })
  })
})
