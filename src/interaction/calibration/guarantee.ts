/** One answered question of a calibration set. */
export interface CalibrationPair {
  /** The higher, the surer. */
  readonly score: number
  /** Whether the answer was wrong. */
  readonly wrong: boolean
}

export interface GuaranteeOptions {
  /** Largest share of wrong answers among those accepted. */
  readonly alpha: number
  /** Probability with which the promise may be broken. @default 0.1 */
  readonly delta?: number
}

/**
 * The lowest score from which on answers may be accepted so that P(wrong | accepted) <= alpha with probability
 * 1 - delta over calibration sets (Clopper-Pearson, thresholds tested in a fixed sequence from high to low:
 * collaboration-methods C7). Infinity when nothing may be accepted. Holds while questions come from where the
 * calibration set came from; it is void under an adversary who changes them.
 */
export function guaranteedThreshold(pairs: readonly CalibrationPair[], options: GuaranteeOptions): number {
  const { alpha, delta = 0.1 } = options
  const sorted = pairs.toSorted((a, b) => b.score - a.score)
  // With fewer accepted not even zero errors prove anything: (1 - alpha)^n > delta.
  const least = Math.log(delta) / Math.log(1 - alpha)
  let wrong = 0
  let threshold = Infinity
  for (const [index, pair] of sorted.entries()) {
    if (pair.wrong) wrong++
    const accepted = index + 1
    const isTied = sorted[index + 1]?.score === pair.score
    if (isTied || accepted < least) continue
    if (binomialCdf(wrong, accepted, alpha) > delta) break
    threshold = pair.score
  }
  return threshold
}

/** P(X <= k) for X ~ Binomial(n, p), summed in logs. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k >= n) return 1
  if (p <= 0) return 1
  if (p >= 1) return 0
  let term = n * Math.log1p(-p)
  let sum = Math.exp(term)
  for (let i = 1; i <= k; i++) {
    term += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p)
    sum += Math.exp(term)
  }
  return Math.min(1, sum)
}
