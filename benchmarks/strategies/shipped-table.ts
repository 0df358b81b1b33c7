import { mcnemarExact, wilson } from '../../src/evaluation/index.ts'
import { createRandom } from '../../src/utils/random.ts'
import { mean, round } from './score-table.ts'
import type { Outcome } from './shipped-network.ts'

export interface ShippedRow {
  readonly strategy: string
  readonly pathway?: string
  readonly n: number
  /** Percent, with its 95 % interval (Wilson). */
  readonly accuracy: number
  readonly interval: string
  /** Points against the best single member, and the exact McNemar p of the paired outcomes. */
  readonly difference: number
  readonly p: number
  /** Means per question. */
  readonly calls: number
  readonly tokens: number
  readonly abstained: number
  readonly errors: number
  /** Self-consistency of the best single member at as many tokens: its samples and its accuracy. */
  readonly consistency?: string
}

/** One row of the table. */
export function rowOf(
  strategy: string,
  outcomes: readonly Outcome[],
  best: readonly Outcome[],
  more: { readonly pathway?: string; readonly consistency?: string } = {},
): ShippedRow {
  const right = outcomes.filter(outcome => outcome.right).length
  const { estimate, low, high } = wilson(right, outcomes.length)
  const only = (a: readonly Outcome[], b: readonly Outcome[]): number =>
    a.filter((outcome, index) => outcome.right && !b[index]?.right).length
  return {
    strategy,
    n: outcomes.length,
    accuracy: round(100 * estimate, 1),
    interval: `${round(100 * low, 1)} .. ${round(100 * high, 1)}`,
    difference: round(100 * (estimate - shareRight(best)), 1),
    p: round(mcnemarExact(only(outcomes, best), only(best, outcomes)), 4),
    calls: round(mean(outcomes.map(({ calls }) => calls)), 2),
    tokens: round(mean(outcomes.map(({ tokens }) => tokens)), 1),
    abstained: outcomes.filter(({ abstained }) => abstained).length,
    errors: outcomes.filter(({ error }) => error !== undefined).length,
    ...more,
  }
}

export const shareRight = (outcomes: readonly Outcome[]): number => mean(outcomes.map(({ right }) => (right ? 1 : 0)))

/** A member drawn anew for every question: the floor. */
export const randomMember = (each: readonly (readonly Outcome[])[]): readonly Outcome[] =>
  (each[0] ?? []).map((_, index) => {
    const list = each.map(outcomes => outcomes[index] as Outcome) // every member answered every question
    return list[Math.floor(createRandom(index).next() * list.length)] as Outcome
  })

/** Right where any member is: the ceiling, which nobody can know. */
export const oracleMember = (each: readonly (readonly Outcome[])[]): readonly Outcome[] =>
  (each[0] ?? []).map((_, index) => {
    const list = each.map(outcomes => outcomes[index] as Outcome)
    return list.find(({ right }) => right) ?? (list[0] as Outcome)
  })
