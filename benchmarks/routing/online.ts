/**
 * Learning from feedback alone, on recorded questions in random order: what a static router, random choice and the
 * online router lose against the best arm of each cluster of questions, with the arms' abilities swapped half-way, and
 * with nothing changed. The static router is trained on the training rows.
 *
 *     npx tsx benchmarks/routing/online.ts --set <dir> --train <file> --test <file> [--results <file.json>]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readRoutingMeta, readRoutingRows } from '../../src/evaluation/routing/routing-set.ts'
import { closest, clusterDirections } from '../../src/service/routing/k-means.ts'
import { createOnlineRouter } from '../../src/service/routing/online-router.ts'
import { createTextEncoder } from '../../src/service/routing/text-encoder.ts'
import { loadTextRouter } from '../../src/service/routing/text-router.ts'
import { trainTextRouter } from '../../src/service/routing/train-text-router.ts'
import { createRandom } from '../../src/utils/random.ts'

const CONTEXTS = 8
const SEEDS = 20
const TASKS = 1200
const SETTLE = 300

const { values } = parseArgs({
  options: {
    set: { type: 'string' },
    train: { type: 'string' },
    test: { type: 'string' },
    results: { type: 'string' },
  },
})
if (!values.set || !values.train || !values.test) throw new Error('expected --set, --train and --test')
const { models, name } = readRoutingMeta(`${values.set}/meta.json`)
const train = readRoutingRows(values.train)
const test = readRoutingRows(values.test)
const arms = models.length
const state = trainTextRouter(
  {
    questions: train.map(({ query }) => query),
    arms: models,
    scores: Float32Array.from(train.flatMap(({ scores }) => scores ?? [])),
  },
  { folds: 2 },
)
const router = loadTextRouter(state)
const encoder = createTextEncoder(state.encoder)
const clustering = clusterDirections(
  train.map(({ query }) => encoder.encode(query).latent),
  CONTEXTS,
  5,
)
const rows = test.map(({ query, scores }) => ({
  context: closest(encoder.encode(query).latent, clustering),
  estimates: router.estimate(query).quality,
  scores: scores ?? [],
}))
/** Mean score per context and arm: what can be known of a question without knowing its answer. */
const table = Array.from({ length: CONTEXTS }, (_, context) => {
  const own = rows.filter(row => row.context === context)
  return models.map((_, arm) => own.reduce((sum, { scores }) => sum + (scores[arm] ?? 0), 0) / Math.max(1, own.length))
})

function play(swapAt: number): Record<string, number> {
  const lost: Record<string, number> = {
    random: 0,
    static: 0,
    online: 0,
    onlineSettled: 0,
    randomSettled: 0,
    changes: 0,
  }
  const add = (who: string, value: number): void => {
    lost[who] = (lost[who] ?? 0) + value / SEEDS
  }
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = createRandom(`online-${seed}`)
    const online = createOnlineRouter(arms, CONTEXTS, { random: random.fork('thompson') })
    for (let task = 0; task < TASKS; task++) {
      const row = rows[Math.floor(random.next() * rows.length)]
      if (!row) continue
      // abilities swapped: the model behind each name is the one from the other end of the list
      const behind = (arm: number): number => (task >= swapAt ? arms - 1 - arm : arm)
      const qualities = table[row.context] ?? []
      const best = Math.max(...qualities)
      const fixed = row.estimates.indexOf(Math.max(...row.estimates))
      const chosen = online.choose(row.context, row.estimates)
      online.learn(row.context, chosen, row.estimates[chosen] ?? 0, row.scores[behind(chosen)] ?? 0)
      const mean = qualities.reduce((sum, value) => sum + value, 0) / arms
      add('random', best - mean)
      add('static', best - (qualities[behind(fixed)] ?? 0))
      add('online', best - (qualities[behind(chosen)] ?? 0))
      if (task < Math.min(TASKS / 2, swapAt) + SETTLE) continue
      add('onlineSettled', best - (qualities[behind(chosen)] ?? 0))
      add('randomSettled', best - mean)
    }
    add('changes', online.changes())
  }
  return { ...lost, settledShareOfRandom: (lost['onlineSettled'] ?? 0) / (lost['randomSettled'] ?? 1) }
}

const result = { swapped: play(TASKS / 2), unchanged: play(Number.POSITIVE_INFINITY) }
console.table(result)
if (values.results)
  writeFileSync(
    values.results,
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), command: `npx tsx benchmarks/routing/online.ts --set <${name}>`, tasks: TASKS, seeds: SEEDS, ...result }, null, 2)}\n`,
  )
