import type { OutcomeTable } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { BenchDecisions, RoutingFigures, TableInput, TrainedBench } from './bench-set.ts'
import { hasOutcomes } from './bench-set.ts'
import type { Cascade, CascadeRow } from './cascade-replay.ts'
import { bestCascades, replayCascade } from './cascade-replay.ts'
import type { CostPoint } from './metrics.ts'
import { averageQuality, costSaved } from './metrics.ts'
import type { RoutingRow } from './routing-set.ts'

/** `routerbench3`: every single model is an arm, and so is every agreement cascade worth having on the training rows. */
export function cascadeTable({ meta, pool, train, textOf, options }: TableInput): OutcomeTable {
  const rows = train.map(recorded)
  const cascades = options.combine === false ? [] : bestCascades(rows, pool.length)
  const points = rows.map(row => [
    ...pool.map((model): CostPoint => [row.costs[model] ?? 0, row.scores[model] ?? 0]),
    ...cascades.map(cascade => replayCascade(cascade, row)),
  ])
  return {
    questions: train.map(textOf),
    arms: [
      ...pool.map(model => meta.models[model] ?? ''),
      ...cascades.map(cascade => `cascade ${JSON.stringify(cascade)}`),
    ],
    scores: Float32Array.from(points.flatMap(row => row.map(([, score]) => score))),
    costs: Float32Array.from(points.flatMap(row => row.map(([cost]) => cost))),
  }
}

/** Prices of cost: utility = score - price * dollars. From "only the score counts" to "only the cost counts". */
const PRICES: readonly number[] = [0, ...Array.from({ length: 40 }, (_, step) => 10 ** (-1 + (5 * step) / 39))]

export function decideCosts(trained: TrainedBench): BenchDecisions {
  const { test, textOf, router, pool } = trained
  const singles = pool.length
  const estimates = test.map(row => router.estimate(textOf(row)))
  const choose = (at: number, price: number, arms: number): number => {
    const { quality, cost } = estimates[at] ?? { quality: [], cost: [] }
    let best = 0
    for (let arm = 1; arm < arms; arm++)
      if ((quality[arm] ?? 0) - price * (cost[arm] ?? 0) > (quality[best] ?? 0) - price * (cost[best] ?? 0)) best = arm
    return best
  }
  const decisions = PRICES.flatMap((price, point) =>
    test.map(({ id }, at) => ({ id, point, model: pool[choose(at, price, singles)] })),
  )
  if (!hasOutcomes(test)) return { decisions, figures: [] }
  const outcomes = test.map(row => armOutcomes(row, router.arms))
  const pointOf = (chosen: readonly number[]): CostPoint => {
    const sum = chosen.reduce(
      ([cost, score], arm, at): CostPoint => [
        cost + (outcomes[at]?.[arm]?.[0] ?? 0),
        score + (outcomes[at]?.[arm]?.[1] ?? 0),
      ],
      [0, 0] as CostPoint,
    )
    return [sum[0] / chosen.length, sum[1] / chosen.length]
  }
  const single = Array.from({ length: singles }, (_, arm) => pointOf(test.map(() => arm)))
  const routed = PRICES.map(price => pointOf(test.map((_, at) => choose(at, price, singles))))
  const figures: RoutingFigures[] = [costFigures('router', routed, single)]
  if (router.arms.length > singles) {
    const cascaded = PRICES.map(price => pointOf(test.map((_, at) => choose(at, price, router.arms.length))))
    // whoever may use cascades may also leave them: the ways to trade cost for quality are those of both
    figures.push(costFigures('router with cascades', [...routed, ...cascaded], single))
  }
  return { decisions, figures }
}

function costFigures(name: string, points: readonly CostPoint[], single: readonly CostPoint[]): RoutingFigures {
  const costs = single.map(([cost]) => cost)
  const [low, high] = [Math.min(...costs), Math.max(...costs)]
  const cheapest = single[costs.indexOf(low)] ?? [0, 0]
  const best = single.reduce((a, b) => (b[1] > a[1] ? b : a), cheapest)
  const saved95 = costSaved(points, best, 0.95)
  const saved97 = costSaved(points, best, 0.97)
  return {
    name,
    figures: {
      AIQ: averageQuality([...points, cheapest], low, high),
      zeroRouterAIQ: averageQuality(single, low, high),
      bestSingle: 100 * best[1],
      maxScore: 100 * Math.max(...points.map(([, score]) => score)),
      ...(saved95 === undefined ? {} : { costSavedAt95: saved95 }),
      ...(saved97 === undefined ? {} : { costSavedAt97: saved97 }),
    },
  }
}

/** Outcome of every arm on a recorded row; the answers of a cascade's members are replayed. */
function armOutcomes(row: RoutingRow, arms: readonly string[]): readonly CostPoint[] {
  const record = recorded(row)
  return arms.map((arm, index) => {
    if (!arm.startsWith('cascade ')) return [record.costs[index] ?? 0, record.scores[index] ?? 0]
    const cascade: Cascade = JSON.parse(arm.slice('cascade '.length)) // written by `cascadeTable` above
    return replayCascade(cascade, record)
  })
}

function recorded({ id, scores, costs, responses }: RoutingRow): CascadeRow {
  if (!scores || !costs || !responses)
    throw new ModelNetError('INVALID_REQUEST', `expected scores, costs and responses in row ${id}`)
  return { scores, costs, responses }
}
