/** Mean score each grader gave each model; scores count from 1 (worst grade) to the number of grades. */
export type ScoreMatrix = Readonly<Record<string, Readonly<Record<string, number>>>>

/** How a model stands in the mutual evaluation (dynamic routing paper, section on mutual evaluation, step 6). */
type Standing = 'improves others' | 'good, does not improve' | 'weak' | 'other'

export interface CollaborationGraph {
  readonly given: Readonly<Record<string, number>>
  readonly received: Readonly<Record<string, number>>
  readonly standing: Readonly<Record<string, Standing>>
  /** C: who may judge and improve a model's answer. */
  readonly collaborators: Readonly<Record<string, readonly string[]>>
  /** C': the same with models of standing `other`; the gain is uncertain. */
  readonly supplementary: Readonly<Record<string, readonly string[]>>
}

/**
 * The collaboration graph from mutual grades. `topShare` (d1) is the share of models that count as high-given and as
 * high-received; `lowestShare` (d2) is the share of a model's graders, strictest first, that may collaborate with it.
 * Counts round up, which is what reproduces the paper's graph; ties go to the earlier name.
 */
export function collaborationGraph(scores: ScoreMatrix, topShare = 0.5, lowestShare = 0.5): CollaborationGraph {
  const models = Object.keys(scores)
  const score = (grader: string, graded: string): number => scores[grader]?.[graded] ?? 0
  const others = (model: string): readonly string[] => models.filter(other => other !== model)
  const average = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  const given = Object.fromEntries(
    models.map(model => [model, average(others(model).map(graded => score(model, graded)))]),
  )
  const received = Object.fromEntries(
    models.map(model => [model, average(others(model).map(grader => score(grader, model)))]),
  )
  const top = (values: Readonly<Record<string, number>>): ReadonlySet<string> =>
    new Set(
      models.toSorted((a, b) => (values[b] ?? 0) - (values[a] ?? 0)).slice(0, Math.ceil(models.length * topShare)),
    )
  const [highGiven, highReceived] = [top(given), top(received)]
  const standing = Object.fromEntries(
    models.map((model): [string, Standing] => [model, standingOf(highGiven.has(model), highReceived.has(model))]),
  )
  const strictest = (model: string): readonly string[] =>
    others(model)
      .toSorted((a, b) => score(a, model) - score(b, model))
      .slice(0, Math.ceil(others(model).length * lowestShare))
  const withStanding = (wanted: Standing): Readonly<Record<string, readonly string[]>> =>
    Object.fromEntries(
      models.map(model => [
        model,
        strictest(model)
          .filter(grader => standing[grader] === wanted)
          .toSorted(),
      ]),
    )
  return {
    given,
    received,
    standing,
    collaborators: withStanding('improves others'),
    supplementary: withStanding('other'),
  }
}

function standingOf(highGiven: boolean, highReceived: boolean): Standing {
  if (highReceived) return highGiven ? 'good, does not improve' : 'improves others'
  return highGiven ? 'weak' : 'other'
}
