import { expectedCalibrationError } from '../statistics.ts'
import type { BenchDecisions, RoutingFigures, TrainedBench } from './bench-set.ts'
import { hasOutcomes, scoresOf } from './bench-set.ts'
import { bootstrapGroups } from './bootstrap.ts'
import type { RoutingRow } from './routing-set.ts'
import { chooseMembers, replayVote } from './vote-replay.ts'

/** The tasks of `routerdc`: those with training rows, and those without. */
const INSIDE = ['mmlu', 'gsm8k', 'cmmlu', 'arc_c', 'humaneval']
const OUTSIDE = ['prealgebra', 'mbpp', 'ceval']

/** `routerdc`: one model per question, accuracy as plain means over tasks. */
export function decideAccuracy(trained: TrainedBench): BenchDecisions {
  const { test, textOf, router, pool, train } = trained
  const estimates = test.map(row => router.estimate(textOf(row)))
  const chosen = estimates.map(({ quality }) => indexOfMax(quality))
  const best = bestSingle(train, pool)
  const figuresOf = (name: string, choice: (row: RoutingRow, at: number) => number): RoutingFigures =>
    accuracyFigures(
      name,
      test,
      row => row.dataset,
      (row, at) => scoresOf(row, pool)[choice(row, at)] ?? 0,
    )
  const decisions = test.map(({ id }, at) => ({ id, model: pool[chosen[at] ?? 0] }))
  if (!hasOutcomes(test)) return { decisions, figures: [] }
  return {
    decisions,
    figures: [
      { ...figuresOf('best single (on train)', () => best) },
      figuresOf('router', (_, at) => chosen[at] ?? 0),
      calibrationFigures(
        trained,
        estimates.map(({ quality }) => quality),
      ),
    ],
  }
}

/** `mmlupro28`: one model, and where wanted a vote of the models that are expected to answer best. */
export function decideAnswers(trained: TrainedBench): BenchDecisions {
  const { test, textOf, router, pool, train, options, meta } = trained
  const estimates = test.map(row => router.estimate(textOf(row)).quality)
  const chosen = estimates.map(quality => indexOfMax(quality))
  const best = bestSingle(train, pool)
  const right = (row: RoutingRow, answer: string | undefined): number => (answer === row.answer ? 1 : 0)
  const all = (): string => 'all'
  const single = test.map(({ id }, at) => ({ id, model: meta.models[pool[chosen[at] ?? 0] ?? 0] }))
  // without outcomes there is nothing to measure, and without recorded options no vote to count
  const measured = hasOutcomes(test)
  const figures: RoutingFigures[] = measured
    ? [
        accuracyFigures('best single (on train)', test, all, row => scoresOf(row, pool)[best] ?? 0),
        accuracyFigures('router, query only', test, all, (row, at) => scoresOf(row, pool)[chosen[at] ?? 0] ?? 0),
        calibrationFigures(trained, estimates),
      ]
    : []
  if (options.combine === false) return { decisions: single, figures }
  const shape = voteShape(trained)
  const votes = test.map((row, at) => {
    const members = chooseMembers(estimates[at] ?? [], pool, shape.size)
    const answer = row.preds === undefined ? undefined : replayVote(members, row.preds, shape.sharpness)
    return { ...single[at], models: members.map(({ model }) => model), ...(answer === undefined ? {} : { answer }) }
  })
  if (measured)
    figures.push(accuracyFigures(`vote of ${shape.size}`, test, all, (row, at) => right(row, votes[at]?.answer)))
  return { decisions: votes, figures }
}

/** How many members a vote has and how sharp its weights are, by training rows the estimates had not seen. */
function voteShape({ train, pool, heldOut }: TrainedBench): {
  readonly size: number
  readonly sharpness: number
} {
  const estimates = train.map((_, at) => heldOut.subarray(at * pool.length, (at + 1) * pool.length))
  let best = { size: 1, sharpness: 1, right: -1 }
  for (const size of [3, 4, 5, 6, 7, 8])
    for (const sharpness of [0.5, 1, 1.5, 2]) {
      let right = 0
      train.forEach((row, at) => {
        const members = chooseMembers(estimates[at] ?? [], pool, size)
        right += replayVote(members, row.preds ?? '', sharpness) === row.answer ? 1 : 0
      })
      if (right > best.right) best = { size, sharpness, right }
    }
  return best
}

function accuracyFigures(
  name: string,
  rows: readonly RoutingRow[],
  taskOf: (row: RoutingRow) => string,
  value: (row: RoutingRow, at: number) => number,
): RoutingFigures {
  const tasks = new Map<string, number[]>()
  rows.forEach((row, at) => {
    const task = taskOf(row)
    const values = tasks.get(task) ?? []
    tasks.set(task, values)
    values.push(100 * value(row, at))
  })
  const groupsOf = (names: readonly string[]): readonly (readonly number[])[] =>
    names.flatMap(task => (tasks.has(task) ? [tasks.get(task) ?? []] : []))
  const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length
  const figures: Record<string, number> = {}
  const intervals: Record<string, readonly [number, number]> = {}
  const add = (metric: string, names: readonly string[]): void => {
    const groups = groupsOf(names)
    if (groups.length < names.length) return
    figures[metric] = mean(groups.map(mean))
    intervals[metric] = bootstrapGroups(groups, mean)
  }
  if (tasks.has('mmlu')) {
    add('ID', INSIDE)
    add('ID4', INSIDE.slice(0, 4))
    add('OOD', OUTSIDE)
  }
  for (const [task, values] of tasks) figures[task === 'all' ? 'accuracy' : task] = mean(values)
  if (tasks.has('all')) add('accuracy', ['all'])
  return { name, figures, intervals }
}

/** How far the stated quality of the chosen arm, and of every arm, lies from the share of right answers. */
function calibrationFigures({ test, pool }: TrainedBench, estimates: readonly Float64Array[]): RoutingFigures {
  const of = (arms: (quality: Float64Array) => readonly number[]): number =>
    expectedCalibrationError(
      test.flatMap((row, at) => {
        const quality = estimates[at] ?? new Float64Array()
        const scores = scoresOf(row, pool)
        return arms(quality).map(arm => ({ confidence: quality[arm] ?? 0, right: (scores[arm] ?? 0) > 0.5 }))
      }),
    )
  return {
    name: 'calibration error',
    figures: { chosen: of(quality => [indexOfMax(quality)]), all: of(quality => [...quality.keys()]) },
  }
}

function bestSingle(train: readonly RoutingRow[], pool: readonly number[]): number {
  const sums = new Float64Array(pool.length)
  for (const row of train)
    scoresOf(row, pool).forEach((score, arm) => {
      sums[arm] = (sums[arm] ?? 0) + score
    })
  return indexOfMax(sums)
}

function indexOfMax(values: ArrayLike<number>): number {
  let best = 0
  for (let at = 1; at < values.length; at++) if ((values[at] ?? 0) > (values[best] ?? 0)) best = at
  return best
}
