import type { OutcomeTable } from '../../service/index.ts'
import { decideAccuracy, decideAnswers } from './accuracy-sets.ts'
import { cascadeTable, decideCosts } from './cost-set.ts'
import { decidePairs } from './pair-set.ts'
import type { RoutingBenchOptions, RoutingFigures, TrainedBench } from './routing-bench.ts'
import type { RoutingMeta, RoutingRow } from './routing-set.ts'

export interface TableInput {
  readonly meta: RoutingMeta
  readonly pool: readonly number[]
  readonly train: readonly RoutingRow[]
  readonly textOf: (row: RoutingRow) => string
  readonly options: RoutingBenchOptions
}

export interface BenchDecisions {
  /** Lines for the scorer. */
  readonly decisions: readonly Readonly<Record<string, unknown>>[]
  readonly figures: readonly RoutingFigures[]
}

/** How the rows of one set become outcomes, and estimates become decisions. */
export interface BenchSet {
  table(input: TableInput): OutcomeTable
  decide(trained: TrainedBench): BenchDecisions
}

/** Scores of the pool on a row: recorded, or whether the recorded option is right. */
export const scoresOf = ({ scores, preds, answer }: RoutingRow, pool: readonly number[]): readonly number[] =>
  pool.map(model => scores?.[model] ?? (preds?.[model] === answer ? 1 : 0))

const plainTable = ({ meta, pool, train, textOf }: TableInput): OutcomeTable => ({
  questions: train.map(textOf),
  arms: pool.map(model => meta.models[model] ?? ''),
  scores: Float32Array.from(train.flatMap(row => scoresOf(row, pool))),
})

/** Published prices per million tokens of the two models of RouteLLM (tables of the paper). */
const PAIR_COSTS = [0.24, 24.7] as const

const pairTable = (input: TableInput): OutcomeTable => ({
  ...plainTable(input),
  costs: Float32Array.from(input.train.flatMap(() => PAIR_COSTS)),
})

export const BENCH_SETS: Readonly<Record<string, BenchSet>> = {
  routerdc: { table: plainTable, decide: decideAccuracy },
  mmlupro28: { table: plainTable, decide: decideAnswers },
  routellm: { table: pairTable, decide: decidePairs },
  routerbench3: { table: cascadeTable, decide: decideCosts },
}
