export interface Slope {
  /** Per hour. */
  readonly perHour: number
  /** 95 % confidence interval of it. */
  readonly from: number
  readonly to: number
  /** At the beginning and the end, on the fitted line. */
  readonly first: number
  readonly last: number
}

export interface Sample {
  /** Seconds from the start. */
  readonly at: number
  readonly value: number
}

/**
 * The line through samples, with the interval of its slope. Neighbouring samples are alike (a garbage collection lasts
 * over several), so they are put together into `blocks` means first, whose residuals count as independent.
 */
export function slopeOf(samples: readonly Sample[], blocks = 12): Slope {
  const size = Math.ceil(samples.length / blocks)
  const means: Sample[] = []
  for (let from = 0; from < samples.length; from += size) {
    const block = samples.slice(from, from + size)
    const mean = (of: (sample: Sample) => number): number =>
      block.reduce((sum, each) => sum + of(each), 0) / block.length
    means.push({ at: mean(({ at }) => at), value: mean(({ value }) => value) })
  }
  const count = means.length
  const at = means.reduce((sum, sample) => sum + sample.at, 0) / count
  const value = means.reduce((sum, sample) => sum + sample.value, 0) / count
  const spread = means.reduce((sum, sample) => sum + (sample.at - at) ** 2, 0)
  const slope = means.reduce((sum, sample) => sum + (sample.at - at) * (sample.value - value), 0) / spread
  const onLine = (time: number): number => value + slope * (time - at)
  const residual = means.reduce((sum, sample) => sum + (sample.value - onLine(sample.at)) ** 2, 0)
  const error = Math.sqrt(residual / Math.max(1, count - 2) / spread)
  const half = STUDENT_T[Math.min(count - 2, STUDENT_T.length) - 1] ?? Number.NaN
  return {
    perHour: slope * 3600,
    from: (slope - half * error) * 3600,
    to: (slope + half * error) * 3600,
    first: onLine(means[0]?.at ?? 0),
    last: onLine(means.at(-1)?.at ?? 0),
  }
}

/** Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom. */
const STUDENT_T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145]
