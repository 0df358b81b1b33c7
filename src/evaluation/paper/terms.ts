/** A reference to one model in the text form of pathways; quoted, as ids may hold any character. */
export const reference = (model: string): string => `"${model}"`

/** SI of the serial/parallel paper: each stage reads the question and the answer before it. */
export const serial = (models: readonly string[]): string => models.map(reference).join(' > ')

/** PI: greedy argmax of the mean of all members' distributions. */
export const parallel = (models: readonly string[]): string => models.map(reference).join(' + ')

/** S2P, `A-[B-C]`: A answers, then B and C write with A's answer as context. */
export const serialToParallel = ([first = '', ...others]: readonly string[]): string =>
  `${reference(first)} > (${parallel(others)})`

/** P2S, `A-[B-C]`: B and C write together, then A verifies. */
export const parallelToSerial = ([last = '', ...others]: readonly string[]): string =>
  `(${parallel(others)}) > ${reference(last)}`

/** All orders of a list. */
export function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items]
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map(rest => [item, ...rest]))
}

/** All subsets of the given size, in the order of the list. */
export function combinations<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  if (size === 0) return [[]]
  return items.flatMap((item, index) => combinations(items.slice(index + 1), size - 1).map(rest => [item, ...rest]))
}
