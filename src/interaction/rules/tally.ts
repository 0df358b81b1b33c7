import type { Answer } from '../pathway/path.ts'

/** Answers that say the same, and what stands behind them. */
export interface Group {
  readonly key: string
  readonly weight: number
  /** Heaviest first. */
  readonly answers: readonly Answer[]
}

export interface Ballot {
  readonly answer: Answer
  /** Undefined is an abstention. */
  readonly key: string | undefined
  readonly weight: number
}

export interface Tally {
  /** Heaviest first; equal weights by number of answers, then by their heaviest answer, then by order of the board. */
  readonly groups: readonly Group[]
  readonly abstentions: number
  /** Weight of all groups. */
  readonly total: number
}

/** Counts votes. An abstention counts for nobody. */
export function tally(ballots: readonly Ballot[]): Tally {
  const byKey = new Map<string, Ballot[]>()
  for (const ballot of ballots)
    if (ballot.key !== undefined) byKey.set(ballot.key, [...(byKey.get(ballot.key) ?? []), ballot])
  const groups = [...byKey].map(([key, members]) => {
    const sorted = members.toSorted((a, b) => b.weight - a.weight)
    return {
      key,
      weight: members.reduce((sum, { weight }) => sum + weight, 0),
      heaviest: sorted[0]?.weight ?? 0,
      answers: sorted.map(({ answer }) => answer),
    }
  })
  groups.sort((a, b) => b.weight - a.weight || b.answers.length - a.answers.length || b.heaviest - a.heaviest)
  return {
    groups: groups.map(({ key, weight, answers }) => ({ key, weight, answers })),
    abstentions: ballots.filter(({ key }) => key === undefined).length,
    total: groups.reduce((sum, { weight }) => sum + weight, 0),
  }
}

/**
 * Log-odds weight of a voter that is right with probability p among K possible answers: ln(p(K-1)/(1-p)), and 0 for
 * one that is worse than chance: it is silenced, not turned around (collaboration-methods B2).
 */
export function logOddsWeight(p: number, options: number): number {
  const clipped = Math.min(0.99, Math.max(0.01, p))
  return Math.max(0, Math.log((clipped * (options - 1)) / (1 - clipped)))
}

/** Largest share of the weight of a vote that the nodes of one owner may have together (F3). */
const MAX_OWNER_SHARE = 1 / 3

/**
 * Weights with what one owner of several votes holds cut down to a third of the total, but not below its heaviest vote:
 * many nodes of one owner are no majority, and one strong vote stays what it is.
 */
export function capByOwner(weights: readonly number[], owners: readonly string[]): readonly number[] {
  const many = [...new Set(owners.filter((owner, index) => owners.indexOf(owner) !== index))]
  let capped = [...weights]
  for (const owner of many) {
    const own = capped.filter((_, index) => owners[index] === owner)
    const held = sum(own)
    const others = sum(capped) - held
    // held = share x (held + others)
    const allowed = Math.max(Math.max(...own), (MAX_OWNER_SHARE / (1 - MAX_OWNER_SHARE)) * others)
    if (held > allowed)
      capped = capped.map((weight, index) => (owners[index] === owner ? (weight * allowed) / held : weight))
  }
  return capped
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
