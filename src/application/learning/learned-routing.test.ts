import { describe, expect, it } from 'vitest'
import { type AskResult, createCoordinator, type PathwayEvent } from '../../interaction/index.ts'
import {
  createCapabilityMap,
  createFailoverModel,
  createMatcher,
  createOnlineRouter,
  createTaskAnalyser,
  loadTextRouter,
  type Offer,
  type Task,
  trainTextRouter,
} from '../../service/index.ts'
import { createManualClock, createScriptedModel } from '../../testing/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { createRandom } from '../../utils/random.ts'
import { createLearnedRouting } from './learned-routing.ts'
import type { Outcome } from './outcome-log.ts'
import { toTable } from './outcome-log.ts'
import type { QuestionReader } from './question-reader.ts'

const FRUIT = ['apple', 'pear', 'plum', 'grape', 'cherry', 'melon']
const PARTS = ['engine', 'brake', 'gear', 'wheel', 'clutch', 'motor']
/** Two fields no analyser knows: only outcomes say who is good at which. */
const questions = (words: readonly string[]): readonly string[] =>
  words.flatMap(a => words.flatMap(b => (a === b ? [] : [`Tell me of the ${a} and its ${b} in short.`])))
const outcomes: readonly Outcome[] = [
  ...questions(FRUIT).flatMap(question => [
    { question, arm: 'general', score: 0.3 },
    { question, arm: 'gardener', score: 1 },
  ]),
  ...questions(PARTS).flatMap(question => [
    { question, arm: 'general', score: 0.8 },
    { question, arm: 'gardener', score: 0 },
  ]),
].map(each => ({ ...each, source: 'feedback', at: 1 }))

function setUp(broken: readonly string[] = [], note?: string, extra: readonly Outcome[] = []) {
  const clock = createManualClock()
  const random = createRandom(1)
  const abilities = createCapabilityMap({ clock })
  const offers: Offer[] = ['general', 'gardener', 'stranger'].map(id => {
    const model = createScriptedModel({
      id,
      answer: `${id} answers`,
      clock,
      card: { tags: ['skill:general'] },
      ...(broken.includes(id) && { failure: { error: new ModelNetError('ENGINE_FAILED', 'broken') } }),
    })
    abilities.describe(model.card)
    return { model, nodeId: 'local', state: 'alive' }
  })
  // the capability map prefers the general model
  for (const tag of ['skill:general', 'lang:en'])
    abilities.observe({ model: 'general@local', tag, source: 'grader', score: 1, weight: 50, at: clock.now() })
  const matcher = createMatcher({ offers: () => offers, abilities })
  const analyser = createTaskAnalyser()
  const coordinator = createCoordinator({
    matcher,
    abilities,
    analyser,
    failover: candidates => createFailoverModel(candidates, { clock }),
    clock,
    random,
  })
  const router = loadTextRouter(trainTextRouter(toTable([...outcomes, ...extra]), { dimensions: 4096, latentSize: 8 }))
  const learned: Outcome[] = []
  const online = createOnlineRouter(router.arms.length, { random }, { auditRate: 0 })
  const onOutcome = (outcome: Outcome): void => void learned.push(outcome)
  const recall: QuestionReader['recall'] = question => ({ router, question })
  const reader: QuestionReader = {
    recall,
    read: async question => ({ ...recall(question), ...(note !== undefined && { note }) }),
  }
  const routing = createLearnedRouting({
    ...{ matcher, analyser, abilities, clock, reader, online, onOutcome },
    inspect: coordinator.inspect,
  })
  const asked = routing.wrap(coordinator)
  let count = 0
  async function ask(question: string, pathway = 'auto'): Promise<AskResult & { id: string; events: PathwayEvent[] }> {
    const task: Task = {
      id: `task ${count++}`,
      messages: [{ role: 'user', content: question }],
      options: {},
      budget: {},
      preference: { quality: 1, cost: 0, latency: 0 },
    }
    const events: PathwayEvent[] = []
    const run = asked.ask(task, { pathway })
    let step = await run.next()
    for (; !step.done; step = await run.next()) events.push(step.value)
    return { ...step.value, id: task.id, events }
  }
  return { ask, routing, learned, abilities }
}

describe('routing by what was learned', () => {
  it('asks who did well on questions like this one, and says so', async () => {
    const { ask } = setUp()
    const { text, why, events } = await ask('Tell me of the plum and its cherry in short.')
    expect(text).toBe('gardener answers')
    expect(why).toMatch(/of questions like this gardener/)
    expect(events.find(({ type }) => type === 'pathway-start')).toMatchObject({ why })
  })

  it('asks a pathway where that did best: arms are pathways, not models only', async () => {
    const vote = '(general|gardener|stranger) ! vote'
    const graded = [...questions(FRUIT), ...questions(PARTS)].map(
      (question): Outcome => ({
        question,
        arm: vote,
        score: FRUIT.some(word => question.includes(word)) ? 0 : 1,
        source: 'probe',
        at: 1,
      }),
    )
    const { ask } = setUp([], undefined, graded)
    const parts = await ask('Tell me of the wheel and its gear in short.')
    expect(parts.why).toMatch(/of questions like this \(general\|gardener\|stranger\) ! vote/)
    expect(parts.members.length).toBeGreaterThan(1)
    expect((await ask('Tell me of the plum and its cherry in short.')).text).toBe('gardener answers')
  })

  it('leaves to the capability map what it has no better answer for, what is unlike its training, and named pathways', async () => {
    const { ask } = setUp()
    expect((await ask('Tell me of the wheel and its gear in short.')).text).toBe('general answers')
    expect((await ask('Wer schrieb den Zauberberg?')).text).toBe('general answers')
    expect((await ask('Tell me of the plum and its cherry in short.', 'stranger')).text).toBe('stranger answers')
  })

  it.each(['plum', 'gear'])('tells in the trace why words had to do, whoever chooses (%s)', async word => {
    const { ask } = setUp([], 'chosen by words, as the encoder is away')
    const { why, trace, events } = await ask(`Tell me of the ${word} and its ${word} in short.`)
    expect(why).toMatch(/; chosen by words, as the encoder is away$/)
    expect(trace.why).toBe(why)
    expect(events.find(({ type }) => type === 'pathway-start')).toMatchObject({ why })
  })

  it('falls back to the choice of the network when its own choice fails', async () => {
    const { ask } = setUp(['gardener'])
    expect((await ask('Tell me of the plum and its cherry in short.')).text).toBe('general answers')
  })

  it('takes in feedback once: into the log, the capability map and its own choice', async () => {
    const { ask, routing, learned, abilities } = setUp()
    const before = abilities.ability('gardener@local', 'skill:general').evidence
    let text = ''
    for (let round = 0; round < 60; round++) {
      const answer = await ask('Tell me of the plum and its cherry in short.')
      text = answer.text
      routing.feedback(answer.id, text.startsWith('gardener') ? 0 : 1)
      expect(() => routing.feedback(answer.id, 0)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    }
    expect(text).toBe('general answers')
    expect(learned).toHaveLength(60)
    expect(learned[0]).toMatchObject({ arm: 'gardener', score: 0, source: 'feedback' })
    expect(abilities.ability('gardener@local', 'skill:general').evidence).toBeGreaterThan(before)
  })
})
