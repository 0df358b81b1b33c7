import { pairedBootstrap } from '../../src/evaluation/index.ts'
import type { RecordedRow } from './recorded-data.ts'

/** Outcome of one strategy on every question, in one order. */
export interface Outcomes {
  readonly strategy: string
  readonly scores: readonly number[]
  readonly costs: readonly number[]
  readonly calls: number
}

export interface TableRow {
  readonly strategy: string
  /** Percent. */
  readonly accuracy: number
  /** Against the baseline: points with their 95 % interval (paired bootstrap). */
  readonly difference: string
  /** Per 1000 questions, and saved against the baseline in percent. */
  readonly cost: number
  readonly saved: number
  readonly calls: number
}

/** The table of a comparison; differences and savings are against `baseline`. */
export function tableOf(all: readonly Outcomes[], baseline: Outcomes): readonly TableRow[] {
  const base = mean(baseline.costs)
  return all.map(({ strategy, scores, costs, calls }) => {
    const { estimate, low, high } = pairedBootstrap(scores, baseline.scores, { rounds: 1000 })
    return {
      strategy,
      accuracy: round(100 * mean(scores)),
      difference: `${signed(estimate)} (${signed(low)} .. ${signed(high)})`,
      cost: round(1000 * mean(costs), 4),
      saved: round(100 * (1 - mean(costs) / base), 1),
      calls: round(calls, 2),
    }
  })
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

export const round = (value: number, digits = 2): number => Number(value.toFixed(digits))
const signed = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}`

export const oracle = (rows: readonly RecordedRow[]): Outcomes => ({
  strategy: 'oracle (best member per question)',
  scores: rows.map(({ scores }) => Math.max(...scores)),
  costs: rows.map(({ scores, costs }) =>
    Math.min(...costs.filter((_, model) => scores[model] === Math.max(...scores))),
  ),
  calls: 1,
})

export const randomMember = (rows: readonly RecordedRow[]): Outcomes => ({
  strategy: 'random member',
  scores: rows.map(({ scores }) => mean(scores)),
  costs: rows.map(({ costs }) => mean(costs)),
  calls: 1,
})
