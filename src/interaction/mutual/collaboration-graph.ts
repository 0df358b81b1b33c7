/** Mean scores models gave one another's answers: `scores[grader][graded]`; absent where nothing was graded. */
export type GradeMatrix = Readonly<Record<string, Readonly<Record<string, number>>>>

export type ModelState =
  /** Low given, high received: good answers, strict with others. */
  | 'improver'
  /** High given, high received: good answers, too lenient to improve others. */
  | 'lenient'
  /** High given, low received: weak. */
  | 'weak'
  /** Low given, low received: peculiar; a gain is uncertain. */
  | 'peculiar'

export interface CollaborationGraph {
  readonly states: Readonly<Record<string, ModelState>>
  /** C_i: who may improve i's answers. */
  readonly helpers: Readonly<Record<string, readonly string[]>>
  /** C'_i: who perhaps may. */
  readonly uncertain: Readonly<Record<string, readonly string[]>>
  readonly given: Readonly<Record<string, number>>
  readonly received: Readonly<Record<string, number>>
}

export interface GraphOptions {
  /** Share of models that count as high. @default 0.5 */
  readonly d1?: number
  /** Share of the graders of a model, strictest first, that may help it. @default 0.5 */
  readonly d2?: number
}

/**
 * The collaboration graph of mutual evaluation (the routing paper, section "mutual evaluation"; steps 4 to 7). Shares
 * of n models are ceil(d n), which is what reproduces the published graph; a tie at the border goes to all who tie
 * for helpers, as the strictness of equals is equal, and by name for high and low.
 */
export function collaborationGraph(scores: GradeMatrix, options: GraphOptions = {}): CollaborationGraph {
  const { d1 = 0.5, d2 = 0.5 } = options
  const names = [...new Set([...Object.keys(scores), ...Object.values(scores).flatMap(row => Object.keys(row))])].sort()
  const given = Object.fromEntries(names.map(name => [name, mean(Object.values(scores[name] ?? {}))]))
  const received = Object.fromEntries(
    names.map(name => [name, mean(gradersOf(name, names, scores).map(({ score }) => score))]),
  )
  const high = (by: Readonly<Record<string, number>>): ReadonlySet<string> => {
    const sorted = names.toSorted((a, b) => (by[b] ?? 0) - (by[a] ?? 0))
    return new Set(sorted.slice(0, Math.ceil(d1 * names.length)))
  }
  const highGiven = high(given)
  const highReceived = high(received)
  const states = Object.fromEntries(
    names.map(name => [name, STATES[`${highGiven.has(name)} ${highReceived.has(name)}`] ?? 'weak']),
  )
  const among = (name: string, state: ModelState): readonly string[] =>
    strictest(gradersOf(name, names, scores), d2).filter(grader => states[grader] === state)
  return {
    states,
    helpers: Object.fromEntries(names.map(name => [name, among(name, 'improver')])),
    uncertain: Object.fromEntries(names.map(name => [name, among(name, 'peculiar')])),
    given,
    received,
  }
}

/** By high given, high received. */
const STATES: Readonly<Record<string, ModelState>> = {
  'false true': 'improver',
  'true true': 'lenient',
  'true false': 'weak',
  'false false': 'peculiar',
}

interface Grader {
  readonly name: string
  readonly score: number
}

const gradersOf = (graded: string, names: readonly string[], scores: GradeMatrix): readonly Grader[] =>
  names.flatMap(name => {
    const score = name === graded ? undefined : scores[name]?.[graded]
    return score === undefined ? [] : [{ name, score }]
  })

/** The graders whose scores lie in the lowest ceil(share n), and those who tie with the last of them. */
function strictest(graders: readonly Grader[], share: number): readonly string[] {
  const sorted = graders.toSorted((a, b) => a.score - b.score)
  const last = sorted[Math.ceil(share * sorted.length) - 1]
  return last === undefined ? [] : sorted.filter(({ score }) => score <= last.score).map(({ name }) => name)
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
