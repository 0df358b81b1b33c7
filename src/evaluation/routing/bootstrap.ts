import { createRandom } from '../../utils/random.ts'

/** 95 % percentile interval of a statistic over resampled groups: each group is resampled within itself. */
export function bootstrapGroups(
  groups: readonly (readonly number[])[],
  statistic: (means: readonly number[]) => number,
  rounds = 500,
): readonly [number, number] {
  const random = createRandom(1)
  const values = Array.from({ length: rounds }, () =>
    statistic(
      groups.map(group => {
        let sum = 0
        for (let draw = 0; draw < group.length; draw++) sum += group[Math.floor(random.next() * group.length)] ?? 0
        return sum / group.length
      }),
    ),
  ).sort((a, b) => a - b)
  return [values[Math.floor(rounds * 0.025)] ?? Number.NaN, values[Math.floor(rounds * 0.975)] ?? Number.NaN]
}

/** 95 % percentile interval of a statistic over resampled rows. */
export function bootstrapRows(
  rows: number,
  statistic: (sample: Int32Array) => number,
  rounds = 300,
): readonly [number, number] {
  const random = createRandom(1)
  const values = Array.from({ length: rounds }, () =>
    statistic(Int32Array.from({ length: rows }, () => Math.floor(random.next() * rows))),
  ).sort((a, b) => a - b)
  return [values[Math.floor(rounds * 0.025)] ?? Number.NaN, values[Math.floor(rounds * 0.975)] ?? Number.NaN]
}
