import type { Bound, BoundGiven } from './path.ts'

/** The bound of what asks nobody and leaves the answers as they came. */
export const nothing = (given: BoundGiven = {}): Bound => ({
  calls: 0,
  depth: 0,
  tokens: 0,
  needs: [],
  answers: given.answers ?? 0,
})

/** The bound of one call. */
export const oneCall = (reference: string, given: BoundGiven = {}, capability = 'generate'): Bound => ({
  calls: 1,
  depth: 1,
  tokens: given.maxTokens ?? Infinity,
  needs: [{ reference, capability }],
  answers: 1,
})

/** One after another. The answers are those of the last. */
export function serial(parts: readonly Bound[]): Bound {
  return {
    calls: sum(parts.map(part => part.calls)),
    depth: sum(parts.map(part => part.depth)),
    tokens: sum(parts.map(part => part.tokens)),
    needs: needsOf(parts),
    answers: parts.at(-1)?.answers ?? 0,
  }
}

/** All at once. */
export const parallel = (parts: readonly Bound[]): Bound => ({
  ...serial(parts),
  depth: Math.max(0, ...parts.map(part => part.depth)),
  answers: sum(parts.map(part => part.answers)),
})

/** One of several, not known which. */
export const either = (parts: readonly Bound[]): Bound => ({
  calls: Math.max(0, ...parts.map(part => part.calls)),
  depth: Math.max(0, ...parts.map(part => part.depth)),
  tokens: Math.max(0, ...parts.map(part => part.tokens)),
  needs: needsOf(parts),
  answers: Math.max(0, ...parts.map(part => part.answers)),
})

/** 0 x Infinity is 0 here: what never runs costs nothing. */
export const times = (count: number, part: Bound): Bound => ({
  ...part,
  calls: count * part.calls,
  depth: count * part.depth,
  tokens: count === 0 || part.tokens === 0 ? 0 : count * part.tokens,
})

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

function needsOf(parts: readonly Bound[]): Bound['needs'] {
  const needs = new Map<string, Bound['needs'][number]>()
  for (const need of parts.flatMap(part => part.needs)) needs.set(`${need.reference} ${need.capability}`, need)
  return [...needs.values()]
}
