import type { OutcomeTable } from '../../service/index.ts'
import { decideAccuracy, decideAnswers } from './accuracy-sets.ts'
import type { BenchSet, TableInput } from './bench-set.ts'
import { scoresOf } from './bench-set.ts'
import { cascadeTable, decideCosts } from './cost-set.ts'
import { decidePairs } from './pair-set.ts'

const plainTable = ({ meta, pool, train, textOf }: TableInput): OutcomeTable => ({
  questions: train.map(textOf),
  arms: pool.map(model => meta.models[model] ?? ''),
  scores: Float32Array.from(train.flatMap(row => scoresOf(row, pool))),
})

/** Published prices per million tokens of the two models of RouteLLM (tables of the paper). */
const PAIR_COSTS = [0.24, 24.7] as const

const pairTable = (input: TableInput): OutcomeTable => ({
  ...plainTable(input),
  costs: Float32Array.from(input.train.flatMap(() => PAIR_COSTS)),
})

export const BENCH_SETS: Readonly<Record<string, BenchSet>> = {
  routerdc: { table: plainTable, decide: decideAccuracy },
  // Small models together are the question of this set; the best of all 28 is one large model.
  mmlupro28: { maxParameters: 13, table: plainTable, decide: decideAnswers },
  routellm: { table: pairTable, decide: decidePairs },
  routerbench3: { table: cascadeTable, decide: decideCosts },
}
