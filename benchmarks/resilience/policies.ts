import type { Candidate } from '../../src/service/index.ts'
import { createRandom } from '../../src/utils/random.ts'

/** The candidates in the order in which they shall be tried. */
export type Order = (candidates: readonly Candidate[], outstanding: (name: string) => number) => readonly Candidate[]

const byName = (candidates: readonly Candidate[]): Candidate[] =>
  candidates.toSorted((a, b) => a.name.localeCompare(b.name))

const from = (candidates: readonly Candidate[], first: number): readonly Candidate[] => {
  const named = byName(candidates)
  return [...named.slice(first), ...named.slice(0, first)]
}

/** As common load balancers choose; ties go by name. */
const OTHERS: Readonly<Record<string, (seed: number) => Order>> = {
  'round robin': () => {
    let turn = 0
    return candidates => from(candidates, turn++ % candidates.length)
  },
  random: seed => {
    const random = createRandom(`policy ${seed}`)
    return candidates => from(candidates, Math.floor(random.next() * candidates.length))
  },
  'least outstanding': () => (candidates, outstanding) =>
    byName(candidates).toSorted((a, b) => outstanding(a.name) - outstanding(b.name)),
}

/**
 * The product's order, and those it is held against: each with the product's failover behind it, where only the order
 * differs, and alone, as a plain balancer that picks one node and lives with its answer.
 */
export const POLICIES: Readonly<Record<string, (seed: number) => Order>> = {
  'completion time': () => candidates => candidates,
  ...Object.fromEntries(Object.entries(OTHERS).map(([name, make]) => [`${name} + failover`, make])),
  ...Object.fromEntries(
    Object.entries(OTHERS).map(([name, make]) => [
      name,
      (seed: number): Order => {
        const order = make(seed)
        return (candidates, outstanding) => order(candidates, outstanding).slice(0, 1)
      },
    ]),
  ),
}
