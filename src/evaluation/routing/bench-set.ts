import type { OutcomeTable, TextRouter } from '../../service/index.ts'
import type { RoutingMeta, RoutingRow } from './routing-set.ts'

export interface RoutingBenchOptions {
  /** Folder with `meta.json`. */
  readonly set: string
  /** Rows to train on, JSON lines, gzipped or not. */
  readonly train: string
  /** Rows to decide for; of these only `query` or `question` is read before the decision. */
  readonly test: string
  /** Where the decisions go, in the form of the set's scorer; not written when absent. */
  readonly decisions?: string
  /** Cuts off options and task markers, in training and test. @default false */
  readonly strip?: boolean
  /** Combinations too: votes (`mmlupro28`) and agreement cascades (`routerbench3`). @default true */
  readonly combine?: boolean
  /**
   * Only models up to so many billion active parameters; Infinity for all.
   * @default what the set is for: 13 for `mmlupro28`, all for the others
   */
  readonly maxParameters?: number
  /** Parts of cross-validation. @default 3 */
  readonly folds?: number
  readonly onProgress?: (message: string) => void
}

/** One line of figures; a metric that does not apply is absent. */
export interface RoutingFigures {
  readonly name: string
  readonly figures: Readonly<Record<string, number>>
  /** 95 % bootstrap intervals of some figures. */
  readonly intervals?: Readonly<Record<string, readonly [number, number]>>
}

/** What the sets share: a trained router, and how a row becomes its text. */
export interface TrainedBench {
  readonly meta: RoutingMeta
  /** Positions of the models in the pool. */
  readonly pool: readonly number[]
  readonly train: readonly RoutingRow[]
  readonly test: readonly RoutingRow[]
  readonly textOf: (row: RoutingRow) => string
  readonly router: TextRouter
  /** What the router would expect for the training rows, had it not seen each: `rows x arms`. */
  readonly heldOut: Float64Array
  readonly options: RoutingBenchOptions
}

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
  /** Billions of active parameters; absent for all models. */
  readonly maxParameters?: number
  table(input: TableInput): OutcomeTable
  decide(trained: TrainedBench): BenchDecisions
}

/** Scores of the pool on a row: recorded, or whether the recorded option is right. */
export const scoresOf = ({ scores, preds, answer }: RoutingRow, pool: readonly number[]): readonly number[] =>
  pool.map(model => scores?.[model] ?? (preds?.[model] === answer ? 1 : 0))

/** Whether every row has outcomes: questions without any are decided for all the same, but give no figures. */
export const hasOutcomes = (rows: readonly RoutingRow[]): boolean =>
  rows.every(({ scores, preds, answer }) => scores !== undefined || (preds !== undefined && answer !== undefined))
