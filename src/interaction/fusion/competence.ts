/** What is known of one member before it writes. */
export interface Competence {
  /** Belief about its share of right answers at this task's tags, from the capability map; never from a card alone. */
  readonly ability: { readonly mean: number; readonly deviation: number; readonly evidence: number }
  /** Natural log of the probability the member gives the prompt, per byte, where it can score. */
  readonly promptLogprob?: number
}

export interface CompetenceOptions {
  /**
   * Members whose expected accuracy lies further below the best one's are left out: UniTE's rule to "determine" whom to
   * ensemble (a gap of 10 points), applied to beliefs: only where two standard deviations do not bridge it. @default 0.1
   */
  readonly gap?: number
  /** Evidence, in answers, below which a member has no voice, unless nobody has more. @default 1 */
  readonly leastEvidence?: number
  /** Nats per byte by which a member may find the prompt stranger than the one who knows it best. @default 1.5 */
  readonly strangeness?: number
}

/**
 * Weights of members before fusion, summing to 1: competence comes first, since averaging with a member that cannot do
 * the task destroys the answer (85 to 23 % in a preparatory test, spec section 4). A member without evidence has no
 * voice, nor has one clearly below the best; the others count by the log-odds of being right, which is what an
 * independent voter's opinion is worth.
 */
export function competenceWeights(members: readonly Competence[], options: CompetenceOptions = {}): readonly number[] {
  const { gap = 0.1, leastEvidence = 1, strangeness = 1.5 } = options
  const heard = members.some(({ ability }) => ability.evidence >= leastEvidence)
  const mostFamiliar = Math.max(...members.map(({ promptLogprob }) => promptLogprob ?? Number.NEGATIVE_INFINITY))
  const candidates = members.map(
    ({ ability, promptLogprob }) =>
      (!heard || ability.evidence >= leastEvidence) &&
      (promptLogprob === undefined || promptLogprob >= mostFamiliar - strangeness),
  )
  const best = members.reduce((top, { ability }, index) => (candidates[index] ? Math.max(top, ability.mean) : top), 0)
  const raw = members.map(({ ability: { mean, deviation } }, index) => {
    if (!candidates[index] || mean + 2 * deviation < best - gap) return 0
    return Math.max(logOdds(mean), LEAST_WEIGHT)
  })
  const total = raw.toSorted((a, b) => a - b).reduce((sum, weight) => sum + weight, 0)
  return raw.map(weight => weight / total)
}

/** What a member counts that is right as often as wrong, and yet is not clearly worse than the best. */
const LEAST_WEIGHT = 0.1

const logOdds = (probability: number): number => {
  const inside = Math.min(Math.max(probability, 0.001), 0.999)
  return Math.log(inside / (1 - inside))
}
