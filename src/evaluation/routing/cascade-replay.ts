import type { CostPoint } from './metrics.ts'
import { costHull } from './metrics.ts'

/** Agreement cascade: the two cheap models are asked; where they agree that is the answer, else the strong one is asked. */
export interface Cascade {
  readonly first: number
  readonly second: number
  readonly strong: number
}

/** A recorded question of a set with costs and responses. */
export interface CascadeRow {
  readonly scores: readonly number[]
  readonly costs: readonly number[]
  readonly responses: readonly string[]
}

/** The letter an answer starts with; undefined where there is none, which is an abstention and agrees with nothing. */
export const letterOf = (response: string): string | undefined =>
  /^\W*(?:the (?:correct )?answer is\W*)?([A-E])(?![a-z])/i.exec(response.trim().slice(0, 60))?.[1]?.toUpperCase()

/** Score and cost of a cascade on one question, all its calls paid. */
export function replayCascade({ first, second, strong }: Cascade, { scores, costs, responses }: CascadeRow): CostPoint {
  const cheap = (costs[first] ?? 0) + (costs[second] ?? 0)
  const answer = letterOf(responses[first] ?? '')
  if (answer !== undefined && answer === letterOf(responses[second] ?? '')) return [cheap, scores[first] ?? 0]
  return [cheap + (costs[strong] ?? 0), scores[strong] ?? 0]
}

/** All cascades on the hull of mean cost and score over the training rows, and near it: the arms worth having. */
export function bestCascades(rows: readonly CascadeRow[], models: number, wanted = 12): readonly Cascade[] {
  const all: { cascade: Cascade; point: CostPoint }[] = []
  for (let first = 0; first < models; first++)
    for (let second = first + 1; second < models; second++)
      for (let strong = 0; strong < models; strong++) {
        if (strong === first || strong === second) continue
        const cascade = { first, second, strong }
        let cost = 0
        let score = 0
        for (const row of rows) {
          const point = replayCascade(cascade, row)
          cost += point[0] / rows.length
          score += point[1] / rows.length
        }
        all.push({ cascade, point: [cost, score] })
      }
  const chosen: Cascade[] = []
  let rest = all
  while (chosen.length < wanted && rest.length > 0) {
    const hull = new Set(costHull(rest.map(({ point }) => point)))
    chosen.push(...rest.filter(({ point }) => hull.has(point)).map(({ cascade }) => cascade))
    rest = rest.filter(({ point }) => !hull.has(point))
  }
  return chosen.slice(0, wanted)
}
