import { logOddsWeight, tally } from '../../src/interaction/index.ts'
import type { Analysis } from '../../src/service/index.ts'
import { localAbilities } from './neighbours.ts'
import type { RecordedRow, RecordedSet } from './recorded-data.ts'
import { createRecordedNetwork, referenceTo } from './recorded-network.ts'
import type { Outcomes, TableRow } from './score-table.ts'
import { mean, oracle, randomMember, round, tableOf } from './score-table.ts'

const FOLDS = 5
const SIZES = [2, 3, 4, 5, 6, 8, 10]

/** The data gives each model's option letter alone; there is nothing to analyse. */
const ANALYSIS: Analysis = {
  tags: [{ tag: 'skill:knowledge', probability: 1 }],
  language: 'en',
  difficulty: 0.5,
  format: 'choice',
  modality: 'text',
  length: 10,
  composite: false,
  confidence: 1,
}

/** Votes of small models on ten-way questions; how many vote, and how, is chosen by cross-validation on train. */
export async function mmluPro({
  models,
  train,
  test,
}: RecordedSet): Promise<{ table: readonly TableRow[]; choice: object }> {
  const overall = models.map((_, model) => mean(train.map(({ scores }) => scores[model] ?? 0)))
  const order = models.map((_, model) => model).sort((a, b) => (overall[b] ?? 0) - (overall[a] ?? 0))
  const local = localAbilities(train)
  const held = train.map((row, index) => local(row.query, other => other % FOLDS === index % FOLDS))
  const validate = (size: number, kind: 'local' | 'overall'): number =>
    mean(
      train.map((row, index) =>
        voteScore(row, order.slice(0, size), kind === 'local' ? (held[index] ?? overall) : overall),
      ),
    )
  const tried = SIZES.flatMap(size =>
    (['local', 'overall'] as const).map(kind => ({ size, kind, value: validate(size, kind) })),
  )
  const chosen = tried.reduce((a, b) => (b.value > a.value ? b : a))

  const network = createRecordedNetwork(models, () => ANALYSIS)
  const replay = async (
    strategy: string,
    pathway: string,
    abilitiesOf: (row: RecordedRow) => readonly number[],
  ): Promise<Outcomes> => {
    const runs = []
    for (const row of test) runs.push(await network.ask(row, pathway, abilitiesOf(row)))
    return {
      strategy,
      scores: runs.map(({ score }) => score),
      costs: runs.map(({ cost }) => cost),
      calls: mean(runs.map(({ calls }) => calls)),
    }
  }
  const near = new Map(test.map(row => [row.id, local(row.query)]))
  const nearOf = (row: RecordedRow): readonly number[] => near.get(row.id) ?? overall
  const members = (size: number): string =>
    order
      .slice(0, size)
      .map(model => referenceTo(models[model] ?? ''))
      .join('|')
  const single = await replay('best single', members(1), () => overall)
  const outcomes = [
    single,
    await replay('routed by neighbours', '*', nearOf),
    await replay(`vote of ${chosen.size}`, `vote(${members(chosen.size)})`, () => overall),
    await replay(`vote of all ${models.length}`, `vote(${models.map(referenceTo).join('|')})`, () => overall),
    await replay(
      `weighted vote of ${chosen.size}, abilities ${chosen.kind === 'local' ? 'from similar questions' : 'overall'} (chosen on train)`,
      `weighted(${members(chosen.size)})`,
      chosen.kind === 'local' ? nearOf : () => overall,
    ),
    oracle(test),
    randomMember(test),
  ]
  return {
    table: tableOf(outcomes, single),
    choice: { size: chosen.size, abilities: chosen.kind, crossValidated: round(100 * chosen.value) },
  }
}

/** Score of the weighted vote as the product counts it, without running a pathway: for choosing on train. */
function voteScore(row: RecordedRow, members: readonly number[], abilities: readonly number[]): number {
  const ballots = members.map(member => ({
    answer: { text: '', by: String(member), usage: { promptTokens: 0, completionTokens: 0 } },
    key: row.responses[member] || undefined,
    weight: logOddsWeight(abilities[member] ?? 0, 4),
  }))
  const winner = tally(ballots).groups[0]?.answers[0]?.by
  return row.scores[Number(winner ?? members[0])] ?? 0
}
