import type { CollaborationGraph, GraphOptions } from './collaboration-graph.ts'
import { collaborationGraph } from './collaboration-graph.ts'

/** How many grades a mean remembers: a replaced model is known anew after about so many tasks. */
const MEMORY = 20

/** Grades of one model by another below which nothing is concluded from them. */
const MIN_GRADES = 3

interface Pair {
  mean: number
  count: number
}

/** The collaboration graph as it evolves: grades of mutual evaluation, and how often a helper's rewriting held. */
export class GraphStore {
  readonly #options: GraphOptions
  readonly #grades = new Map<string, Map<string, Pair>>()
  readonly #repairs = new Map<string, Pair>()
  #graph: CollaborationGraph | undefined

  constructor(options: GraphOptions = {}) {
    this.#options = options
  }

  /** One grade of `grader` for an answer of `graded`: 3 best, 1 worst. Names are model ids. */
  observe(grader: string, graded: string, score: number): void {
    const row = this.#grades.get(grader) ?? new Map<string, Pair>()
    this.#grades.set(grader, row)
    row.set(graded, moved(row.get(graded), score))
    this.#graph = undefined
  }

  /** Whether an answer of `author` that `helper` had rejected and rewritten was then approved. */
  observeRepair(helper: string, author: string, held: boolean): void {
    const key = `${helper} ${author}`
    this.#repairs.set(key, moved(this.#repairs.get(key), held ? 1 : 0))
  }

  /** True when each of these models graded each other one often enough for the graph to mean something. */
  covers(models: readonly string[]): boolean {
    return models.every(grader =>
      models.every(graded => grader === graded || (this.#grades.get(grader)?.get(graded)?.count ?? 0) >= MIN_GRADES),
    )
  }

  graph(): CollaborationGraph {
    this.#graph ??= collaborationGraph(
      Object.fromEntries(
        [...this.#grades].map(([grader, row]) => [
          grader,
          Object.fromEntries([...row].map(([graded, { mean }]) => [graded, mean])),
        ]),
      ),
      this.#options,
    )
    return this.#graph
  }

  /** P(the rewriting holds), with one success and one failure assumed. */
  repairRate(helper: string, author: string): number {
    const { mean = 0, count = 0 } = this.#repairs.get(`${helper} ${author}`) ?? {}
    return (mean * count + 1) / (count + 2)
  }
}

function moved(pair: Pair | undefined, value: number): Pair {
  const { mean, count } = pair ?? { mean: 0, count: 0 }
  const seen = Math.min(MEMORY, count + 1)
  return { mean: mean + (value - mean) / seen, count: seen }
}
