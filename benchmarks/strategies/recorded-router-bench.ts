import type { CascadeRecord } from '../../src/interaction/index.ts'
import { learnThresholds } from '../../src/interaction/index.ts'
import { createTaskAnalyser } from '../../src/service/index.ts'
import { localAbilities } from './neighbours.ts'
import type { RecordedRow, RecordedSet } from './recorded-data.ts'
import type { Guarantee } from './recorded-guarantee.ts'
import { guarantee } from './recorded-guarantee.ts'
import { createRecordedNetwork, referenceTo } from './recorded-network.ts'
import { createVoters } from './recorded-voters.ts'
import type { Outcomes, TableRow } from './score-table.ts'
import { mean, oracle, randomMember, round, tableOf } from './score-table.ts'

/** Share of the best model's accuracy on train that a cascade must keep to be chosen. */
const KEPT_ON_TRAIN = 0.97
const FOLDS = 5

export interface RouterBenchResult {
  readonly table: readonly TableRow[]
  readonly chosen: string
  readonly kept: string
  readonly guarantee: readonly Guarantee[]
}

/** Agreement cascades and the guaranteed gate on eleven models with true prices. */
export async function routerBench({ models, train, test }: RecordedSet): Promise<RouterBenchResult> {
  const analyser = createTaskAnalyser()
  const analyse = (row: RecordedRow) => analyser.analyse({ messages: [{ role: 'user', content: row.query }] })
  const voters = createVoters([...train, ...test], analyse)
  const abilities = models.map((_, model) => mean(train.map(({ scores }) => scores[model] ?? 0)))
  const prices = models.map((_, model) => mean(train.map(({ costs }) => costs[model] ?? 0)))
  const order = models.map((_, model) => model).sort((a, b) => (abilities[b] ?? 0) - (abilities[a] ?? 0))
  const best = order[0] ?? 0
  const cheap = order.filter(model => (prices[model] ?? 0) < (prices[best] ?? 0) / 3)
  const name = (model: number): string => referenceTo(models[model] ?? '')

  // Two cheap models vote, the best is asked where their vote is not sure enough; code has no key to vote by, so one
  // model writes it. Pair, model for code and threshold are those that cost least on train and keep 97 % there.
  const local = localAbilities(train)
  const held = new Map(train.map((row, index) => [row.id, local(row.query, other => other % FOLDS === index % FOLDS)]))
  const isCode = new Map(train.map(row => [row.id, analyse(row).format === 'code']))
  const recordsOf = (pair: readonly number[], coder: number): readonly CascadeRecord[] =>
    train.map(row => {
      const strong = { value: row.scores[best] ?? 0, cost: row.costs[best] ?? 0 }
      if (isCode.get(row.id))
        return {
          scores: [Infinity, 0],
          values: [row.scores[coder] ?? 0, strong.value],
          costs: [row.costs[coder] ?? 0, strong.cost],
        }
      const { winner, confidence } = voters.elect(row, pair, held.get(row.id) ?? abilities)
      const own = pair.reduce((sum, member) => sum + (row.costs[member] ?? 0), 0)
      return { scores: [confidence, 0], values: [row.scores[winner] ?? 0, strong.value], costs: [own, strong.cost] }
    })
  const target = KEPT_ON_TRAIN * (abilities[best] ?? 0)
  const pairs = cheap.flatMap((a, index) => cheap.slice(index + 1).map(b => [a, b] as const))
  const tried = pairs.flatMap(pair =>
    [best, ...cheap].flatMap(coder => {
      const learned = learnThresholds(recordsOf(pair, coder), { minValue: target })
      return learned ? [{ pair, coder, ...learned }] : []
    }),
  )
  const chosen = tried.reduce((a, b) => (b.cost < a.cost ? b : a))
  const at = Number((chosen.thresholds[0] ?? 1).toFixed(4))
  const cascade = `weighted(${chosen.pair.map(name).join('|')}) ?{confident, at=${at}} ${name(best)}`
  const pathway = `route(format:code=${name(chosen.coder)}, else=${cascade})`

  const network = createRecordedNetwork(models, analyse)
  const near = new Map(test.map(row => [row.id, local(row.query)]))
  const replay = async (strategy: string, given: string): Promise<Outcomes> => {
    const runs = []
    for (const row of test) runs.push(await network.ask(row, given, near.get(row.id) ?? abilities))
    return {
      strategy,
      scores: runs.map(({ score }) => score),
      costs: runs.map(({ cost }) => cost),
      calls: mean(runs.map(({ calls }) => calls)),
    }
  }
  const top = order.slice(0, 3).map(name).join('|')
  const single = await replay('best single', name(best))
  const cascaded = await replay(`agreement cascade, chosen on train: ${pathway}`, pathway)
  const outcomes = [
    single,
    await replay('best cheap single', name(cheap[0] ?? best)),
    await replay('vote of the best 3', `vote(${top})`),
    await replay('weighted vote of the best 3', `weighted(${top})`),
    await replay('weighted vote of all 11', `weighted(${models.map(referenceTo).join('|')})`),
    await replay(
      'plain agreement of the same pair, else the best',
      `cascade(${chosen.pair.map(name).join(', ')}, ${name(best)})`,
    ),
    cascaded,
    oracle(test),
    randomMember(test),
  ]
  const keptShare = (100 * mean(cascaded.scores)) / mean(single.scores)
  const saved = 100 * (1 - mean(cascaded.costs) / mean(single.costs))
  return {
    table: tableOf(outcomes, single),
    chosen: pathway,
    kept: `${round(keptShare, 1)} % of the best single model's accuracy at ${round(saved, 1)} % less cost`,
    guarantee: [0.05, 0.1, 0.15].map(alpha => guarantee([...train, ...test], voters, cheap.slice(0, 3), alpha)),
  }
}
