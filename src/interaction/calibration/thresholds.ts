/** What each stage of a cascade would have done on one question. */
export interface CascadeRecord {
  /** How sure each stage is of its answer; the last stage's is not used. */
  readonly scores: readonly number[]
  /** 0 wrong .. 1 right. */
  readonly values: readonly number[]
  readonly costs: readonly number[]
}

export interface CascadeOutcome {
  /** From here on a stage's answer is accepted; one fewer than there are stages. */
  readonly thresholds: readonly number[]
  /** Mean value and mean cost per question on the records. */
  readonly value: number
  readonly cost: number
}

/** Grid points per threshold (FrugalGPT uses 40 quantiles). */
const GRID = 40

/** What a cascade with given thresholds would have achieved: every stage that is asked costs. */
export function runCascade(records: readonly CascadeRecord[], thresholds: readonly number[]): CascadeOutcome {
  let value = 0
  let cost = 0
  for (const record of records) {
    for (let stage = 0; stage < record.scores.length; stage++) {
      cost += record.costs[stage] ?? 0
      if (stage < thresholds.length && (record.scores[stage] ?? 0) < (thresholds[stage] ?? 0)) continue
      value += record.values[stage] ?? 0
      break
    }
  }
  return { thresholds, value: value / records.length, cost: cost / records.length }
}

/**
 * Thresholds of a cascade of two or three stages, by search over quantile grids (FrugalGPT, collaboration-methods C6):
 * best value at a mean cost of at most `maxCost`; or, with `minValue`, least cost that keeps the value. Learned on
 * records that are not the ones it is then measured on. Undefined when nothing on the grid satisfies the limits.
 */
export function learnThresholds(
  records: readonly CascadeRecord[],
  limits: { readonly maxCost?: number; readonly minValue?: number },
): CascadeOutcome | undefined {
  const stages = records[0]?.scores.length ?? 0
  const { maxCost = Infinity, minValue } = limits
  const grids = Array.from({ length: stages - 1 }, (_, stage) =>
    quantiles(records.map(({ scores }) => scores[stage] ?? 0)),
  )
  const better = (a: CascadeOutcome, b: CascadeOutcome): boolean =>
    minValue === undefined ? a.value > b.value || (a.value === b.value && a.cost < b.cost) : a.cost < b.cost
  let best: CascadeOutcome | undefined
  for (const thresholds of combinations(grids)) {
    const outcome = runCascade(records, thresholds)
    if (outcome.cost > maxCost || outcome.value < (minValue ?? -Infinity)) continue
    if (!best || better(outcome, best)) best = outcome
  }
  return best
}

/** Candidate thresholds: always accept, the quantiles, never accept. */
function quantiles(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b)
  const points = Array.from({ length: GRID }, (_, index) => sorted[Math.floor((index / GRID) * sorted.length)] ?? 0)
  return [...new Set([-Infinity, ...points, Infinity])]
}

function* combinations(grids: readonly (readonly number[])[]): Generator<readonly number[]> {
  const [first, ...others] = grids
  if (!first) yield []
  else for (const rest of combinations(others)) for (const value of first) yield [value, ...rest]
}
