/** Alternatives of a question of ten options, for the weight of a vote. */
const OPTIONS = 10

export interface VoteMember {
  /** Position in `preds`. */
  readonly model: number
  /** Expected share of right answers for this question. */
  readonly quality: number
}

/** The `size` arms that are expected to answer a question best. */
export function chooseMembers(
  quality: ArrayLike<number>,
  models: readonly number[],
  size: number,
): readonly VoteMember[] {
  return models
    .map((model, at) => ({ model, quality: quality[at] ?? 0 }))
    .sort((a, b) => b.quality - a.quality || a.model - b.model)
    .slice(0, size)
}

/**
 * Weighted vote by log-odds (B2): ln(p (K-1) / (1-p)), never below zero; `-` abstains. Reads the recorded answers of
 * its members only. Ties go to the better member; undefined when nobody answered.
 */
export function replayVote(members: readonly VoteMember[], preds: string, sharpness = 1): string | undefined {
  const sums = new Map<string, number>()
  let leader: string | undefined
  for (const { model, quality } of members) {
    const answer = preds[model]
    if (answer === undefined || answer === '-') continue
    const p = Math.min(0.98, Math.max(0.02, quality))
    const weight = Math.max(1e-6, Math.log((p * (OPTIONS - 1)) / (1 - p))) ** sharpness
    sums.set(answer, (sums.get(answer) ?? 0) + weight)
    if (leader === undefined || (sums.get(answer) ?? 0) > (sums.get(leader) ?? 0) + 1e-12) leader = answer
  }
  return leader
}
