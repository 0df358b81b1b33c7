/**
 * Strategies on the shipped specialists: mixed questions of all their fields, and composite questions that need several
 * of them. Everything runs through the product's coordinator, matcher and failover, in this process.
 * Baselines: each model alone (best single chosen on the first half, reported on the second), random member, oracle.
 * `npx tsx benchmarks/strategies/shipped.ts [questions per field] [composite questions]`
 */
import { join } from 'node:path'
import { shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import type { Question } from '../../src/evaluation/index.ts'
import { graderOf, guessGrader, loadJsonl, wilson } from '../../src/evaluation/index.ts'
import { createCoordinator, finalAnswer } from '../../src/interaction/index.ts'
import { createCapabilityMap, createFailoverModel, createMatcher, createTaskAnalyser } from '../../src/service/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { createRandom } from '../../src/utils/random.ts'
import { writeResult } from '../support.ts'
import { loadFamily } from '../token-level/models.ts'
import { mean, round } from './score-table.ts'

const perField = Number(process.argv[2] ?? 20)
const composites = Number(process.argv[3] ?? 60)

const family = await loadFamily()
const abilities = createCapabilityMap({ clock: systemClock })
const models = family.names.map(name => family.model(name))
for (const { card } of models) abilities.describe(card)
const matcher = createMatcher({
  offers: () => models.map(model => ({ model, nodeId: model.card.node, state: 'alive' as const })),
  abilities,
})
const coordinator = createCoordinator({
  matcher,
  abilities,
  analyser: createTaskAnalyser(),
  failover: (candidates, onSwitch) => createFailoverModel(candidates, { clock: systemClock, onSwitch }),
  clock: systemClock,
  random: createRandom(1),
})

interface Outcome {
  readonly right: boolean
  readonly calls: number
  readonly tokens: number
  readonly ms: number
}

async function ask(question: Question, pathway: string): Promise<Outcome> {
  const grader = graderOf(question.grader ?? guessGrader(question.answer))
  const run = coordinator.ask(
    {
      id: question.id,
      messages: [{ role: 'user', content: question.question }],
      options: { seed: 1, maxTokens: 200 },
      budget: {},
      preference: { quality: 1, cost: 0, latency: 0.01 },
    },
    { pathway },
  )
  let calls = 0
  try {
    let step = await run.next()
    for (; !step.done; step = await run.next()) if (step.value.type === 'call-start') calls++
    const { text, usage, ms } = step.value
    const right = grader.grade(finalAnswer(text), question.answer).verdict === 'right'
    return { right, calls, tokens: usage.completionTokens, ms }
  } catch {
    return { right: false, calls, tokens: 0, ms: 0 } // an answer that is not given is a wrong one
  }
}

async function measure(questions: readonly Question[], pathway: string): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const question of questions) outcomes.push(await ask(question, pathway))
  return outcomes
}

const row = (strategy: string, outcomes: readonly Outcome[]): object => {
  const right = outcomes.filter(outcome => outcome.right).length
  const { estimate, low, high } = wilson(right, outcomes.length)
  return {
    strategy,
    n: outcomes.length,
    accuracy: round(100 * estimate, 1),
    interval: `${round(100 * low, 1)} .. ${round(100 * high, 1)}`,
    calls: round(mean(outcomes.map(({ calls }) => calls)), 2),
    tokens: round(mean(outcomes.map(({ tokens }) => tokens)), 1),
    ms: round(mean(outcomes.map(({ ms }) => ms)), 1),
  }
}

const fields = family.names.filter(name => name !== 'planner' && name !== 'generalist')
const mixed = (await Promise.all(fields.map(name => family.questions(name, perField)))).flat()
const half = (questions: readonly Question[], which: 0 | 1): readonly Question[] =>
  questions.filter((_, index) => index % 2 === which)
const members = family.names.filter(name => name !== 'planner')
const alone = new Map<string, readonly Outcome[]>()
for (const name of members) alone.set(name, await measure(mixed, `modelnet/${name}`))
const share = (outcomes: readonly Outcome[], which: 0 | 1): number =>
  mean(outcomes.filter((_, index) => index % 2 === which).map(({ right }) => (right ? 1 : 0)))
const best = members.reduce((a, b) => (share(alone.get(b) ?? [], 0) > share(alone.get(a) ?? [], 0) ? b : a))
const second = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.filter((_, index) => index % 2 === 1)
const each = mixed.map((_, index) => members.map(name => alone.get(name)?.[index] as Outcome))
const reported = half(mixed, 1)
const table = [
  row(`best single, chosen on the other half: ${best}`, second(alone.get(best) ?? [])),
  row(`self-consistency of ${best}, 3 samples`, await measure(reported, `consistency(modelnet/${best}, n=3)`)),
  row(
    'random member',
    second(each.map((list, index) => list[Math.floor(createRandom(index).next() * list.length)] as Outcome)),
  ),
  row(
    'oracle (any member is right)',
    second(each.map(list => list.find(({ right }) => right) ?? (list[0] as Outcome))),
  ),
]
for (const pathway of ['auto', 'vote(n=3)', 'weighted(n=3)', 'joint(n=2)', 'cascade(n=3)', 'debate(n=3)'])
  table.push(row(pathway, await measure(reported, pathway)))
console.log(`mixed questions of ${fields.join(', ')}`)
console.table(table)

const composite = (await loadJsonl(join(shippedModelsDirectory(), 'composite.jsonl'))).slice(0, composites)
const planned = [
  row('auto (plans)', await measure(composite, 'auto')),
  row('without a plan: whoever suits best', await measure(composite, '*')),
  row('generalist alone', await measure(composite, 'modelnet/generalist')),
  row('vote of 3', await measure(composite, 'vote(n=3)')),
]
console.log('composite questions')
console.table(planned)
writeResult('strategies-shipped', {
  question: 'what do strategies gain on the shipped specialists, on single and composite questions?',
  models: family.names,
  mixed: table,
  composite: planned,
})
await family.close()
