import { guaranteedThreshold } from '../../src/interaction/index.ts'
import { createRandom } from '../../src/utils/random.ts'
import type { RecordedRow } from './recorded-data.ts'
import type { Voters } from './recorded-voters.ts'
import { mean, round } from './score-table.ts'

const SPLITS = 200
const CALIBRATION = 300
const DELTA = 0.1

/** How often a promise about errors was broken. */
export interface Guarantee {
  /** Promised share of errors among accepted answers, and how often the promise may be broken. */
  readonly alpha: number
  readonly delta: number
  /** Shares of splits: with the guaranteed threshold, and with one that only looked as good on the same calibration set. */
  readonly broken: number
  readonly tunedBroken: number
  /** Share of questions accepted without the strong model, mean over splits. */
  readonly accepted: number
}

/** The guaranteed gate over random splits: three cheap models vote, the gate calibrates on 300 questions. */
export function guarantee(
  rows: readonly RecordedRow[],
  voters: Voters,
  members: readonly number[],
  alpha: number,
): Guarantee {
  const random = createRandom(2026)
  let broken = 0
  let tunedBroken = 0
  const accepted: number[] = []
  for (let split = 0; split < SPLITS; split++) {
    const shuffled = rows
      .map(row => ({ row, at: random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ row }) => row)
    const calibration = shuffled.slice(0, CALIBRATION)
    const abilities: number[] = []
    for (const member of members) abilities[member] = mean(calibration.map(({ scores }) => scores[member] ?? 0))
    const judge = (row: RecordedRow): { score: number; wrong: boolean } => {
      const { winner, confidence } = voters.elect(row, members, abilities)
      return { score: confidence, wrong: (row.scores[winner] ?? 0) < 1 }
    }
    const pairs = calibration.map(judge)
    const rest = shuffled.slice(CALIBRATION).map(judge)
    const breaks = (threshold: number): boolean => {
      const taken = rest.filter(({ score }) => score >= threshold)
      return taken.length > 0 && taken.filter(({ wrong }) => wrong).length / taken.length > alpha
    }
    const threshold = guaranteedThreshold(pairs, { alpha, delta: DELTA })
    accepted.push(rest.filter(({ score }) => score >= threshold).length / rest.length)
    if (breaks(threshold)) broken++
    if (breaks(tuned(pairs, alpha))) tunedBroken++
  }
  return {
    alpha,
    delta: DELTA,
    broken: broken / SPLITS,
    tunedBroken: tunedBroken / SPLITS,
    accepted: round(mean(accepted), 3),
  }
}

/** The lowest threshold whose share of errors on the calibration set itself is at most alpha. */
function tuned(pairs: readonly { readonly score: number; readonly wrong: boolean }[], alpha: number): number {
  const thresholds = [...new Set(pairs.map(({ score }) => score))].sort((a, b) => a - b)
  const errors = (threshold: number): number => {
    const taken = pairs.filter(({ score }) => score >= threshold)
    return taken.filter(({ wrong }) => wrong).length / taken.length
  }
  return thresholds.find(threshold => errors(threshold) <= alpha) ?? Infinity
}
