import type { Evaluation, Row } from './run.ts'
import {
  expectedCalibrationError,
  type Interval,
  mcnemarExact,
  mean,
  pairedBootstrap,
  percentile,
  wilson,
} from './statistics.ts'

/** How one system did on one set of questions. */
export interface SystemSummary {
  readonly name: string
  readonly n: number
  readonly right: number
  readonly wrong: number
  /** No answer could be read from the text. */
  readonly abstained: number
  /** No answer came. */
  readonly failed: number
  /** Share right of all questions, abstentions and failures included, with its 95 % Wilson interval. */
  readonly accuracy: Interval
  /** Means per question, all internal calls together. */
  readonly promptTokens: number
  readonly completionTokens: number
  readonly calls: number
  readonly p50Ms: number
  readonly p95Ms: number
  /** Where the system states confidences. */
  readonly calibrationError?: number
}

/** Two systems on the same questions. */
export interface Comparison {
  readonly first: string
  readonly second: string
  readonly onlyFirst: number
  readonly onlySecond: number
  /** Exact McNemar, two-sided. */
  readonly p: number
  /** Accuracy of the first minus that of the second, with the 95 % interval of the paired bootstrap. */
  readonly difference: Interval
}

export function summarise(name: string, rows: readonly Row[]): SystemSummary {
  const count = (verdict: Row['verdict']): number => rows.filter(row => row.verdict === verdict).length
  const times = rows.map(row => row.ms)
  const stated = rows.flatMap(row =>
    row.confidence === undefined ? [] : [{ confidence: row.confidence, right: row.verdict === 'right' }],
  )
  return {
    name,
    n: rows.length,
    right: count('right'),
    wrong: count('wrong'),
    abstained: count('abstained'),
    failed: count('failed'),
    accuracy: wilson(count('right'), rows.length),
    promptTokens: mean(rows.map(row => row.usage.promptTokens)),
    completionTokens: mean(rows.map(row => row.usage.completionTokens)),
    calls: mean(rows.map(row => row.calls)),
    p50Ms: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
    ...(stated.length > 0 ? { calibrationError: expectedCalibrationError(stated) } : {}),
  }
}

/** Rows of one system, in the order of the questions. */
export const rowsOf = (evaluation: Pick<Evaluation, 'rows'>, system: string): readonly Row[] =>
  evaluation.rows.filter(row => row.system === system)

export const summariseAll = (evaluation: Evaluation): readonly SystemSummary[] =>
  evaluation.systems.map(name => summarise(name, rowsOf(evaluation, name)))

/** Paired test of two systems' rows over the same questions in the same order. */
export function compare(first: readonly Row[], second: readonly Row[], seed = 1): Comparison {
  const [a, b] = [first, second].map(rows => rows.map(row => (row.verdict === 'right' ? 1 : 0))) as [number[], number[]] // two in, two out
  if (first.some((row, index) => row.question !== second[index]?.question))
    throw new RangeError('expected rows of the same questions in the same order')
  const only = (left: readonly number[], right: readonly number[]): number =>
    left.filter((value, index) => value === 1 && right[index] === 0).length
  return {
    first: first[0]?.system ?? '',
    second: second[0]?.system ?? '',
    onlyFirst: only(a, b),
    onlySecond: only(b, a),
    p: mcnemarExact(only(a, b), only(b, a)),
    difference: pairedBootstrap(a, b, { seed }),
  }
}
