/**
 * Learning from feedback, on recorded questions in random order: what a static router, random choice and the online
 * router lose, with nothing changed and with the models behind the names exchanged half-way (no model stays where it was).
 * The static router is trained on the training rows. Without `--test`, on half of them, and the other half is the stream:
 * that is where the settings were chosen.
 *
 * Regret is the mean score of the best arm minus that of the arm that was asked; scores of an arm are its means over the
 * rows of the stream, `best arm` is the best single one, `best arm of each kind` the best in each of 8 clusters of
 * questions, which is known only afterwards. The figure wanted is the regret after the first 300 tasks that follow the
 * change, as a share of that of random choice over the same tasks.
 *
 *     npx tsx benchmarks/routing/online.ts --set <dir> --train <file> [--test <file>] [--seeds 20] [--results <file.json>]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readRoutingMeta, readRoutingRows } from '../../src/evaluation/routing/routing-set.ts'
import { closest, clusterDirections } from '../../src/service/routing/k-means.ts'
import type { OnlineOptions } from '../../src/service/routing/online-router.ts'
import { createOnlineRouter } from '../../src/service/routing/online-router.ts'
import { createTextEncoder } from '../../src/service/routing/text-encoder.ts'
import { loadTextRouter } from '../../src/service/routing/text-router.ts'
import { trainTextRouter } from '../../src/service/routing/train-text-router.ts'
import type { Random } from '../../src/utils/random.ts'
import { createRandom } from '../../src/utils/random.ts'

const KINDS = 8
const TASKS = 1200
const SETTLE = 300

const { values } = parseArgs({
  options: {
    set: { type: 'string' },
    train: { type: 'string' },
    test: { type: 'string' },
    seeds: { type: 'string', default: '20' },
    results: { type: 'string' },
  },
})
if (!values.set || !values.train) throw new Error('expected --set and --train')
const seeds = Number(values.seeds)
const { models, name } = readRoutingMeta(`${values.set}/meta.json`)
const arms = models.length
const halves = createRandom('halves')
const known = readRoutingRows(values.train).map(row => ({ ...row, streamed: !values.test && halves.next() < 0.5 }))
const train = known.filter(({ streamed }) => !streamed)
const stream = values.test ? readRoutingRows(values.test) : known.filter(({ streamed }) => streamed)
const scoresOf = ({ scores, preds, answer }: (typeof stream)[number]): readonly number[] =>
  scores ?? models.map((_, model) => (preds?.[model] === answer ? 1 : 0))
const state = trainTextRouter(
  {
    questions: train.map(({ question, query }) => question ?? query),
    arms: models,
    scores: Float32Array.from(train.flatMap(scoresOf)),
  },
  { folds: 2 },
)
const router = loadTextRouter(state)
if ('kind' in state.encoder) throw new Error('expected a router by words')
const encoder = createTextEncoder(state.encoder)
const clustering = clusterDirections(
  train.map(({ question, query }) => encoder.encode(question ?? query).latent),
  KINDS,
  5,
)
const rows = stream.map(row => {
  const text = row.question ?? row.query
  const { quality } = router.estimate(text)
  return { kind: closest(encoder.encode(text).latent, clustering), estimates: [...quality], scores: scoresOf(row) }
})
const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length)
const meansOf = (part: typeof rows): readonly number[] =>
  models.map((_, arm) => mean(part.map(({ scores }) => scores[arm] ?? 0)))
const byKind = Array.from({ length: KINDS }, (_, kind) => meansOf(rows.filter(row => row.kind === kind)))
const overall = meansOf(rows)
const bestArm = overall.indexOf(Math.max(...overall))

/** Sums over the tasks after the first 300 that follow the middle. */
interface Sums {
  tasks: number
  best: number
  bestOfKind: number
  random: number
  static: number
  online: number
  /** Other arms asked per task: before the middle, and from it on. */
  auditsBefore: number
  auditsAfter: number
}

function play(exchanged: boolean, options: OnlineOptions): Readonly<Record<string, number>> {
  const sums: Sums = {
    tasks: 0,
    best: 0,
    bestOfKind: 0,
    random: 0,
    static: 0,
    online: 0,
    auditsBefore: 0,
    auditsAfter: 0,
  }
  for (let seed = 0; seed < seeds; seed++) {
    const random = createRandom(`online-${seed}`)
    const online = createOnlineRouter(arms, { random: random.fork('online') }, options)
    const places = derangement(arms, random.fork('places'))
    for (let task = 0; task < TASKS; task++) {
      const row = rows[Math.floor(random.next() * rows.length)]
      if (!row) continue
      const behind = (arm: number): number => (exchanged && task >= TASKS / 2 ? (places[arm] ?? arm) : arm)
      const chosen = online.choose(row.estimates)
      const audited = online.audit(row.estimates, chosen)
      for (const arm of [chosen, ...audited]) online.learn(row.estimates, arm, row.scores[behind(arm)] ?? 0)
      sums[task < TASKS / 2 ? 'auditsBefore' : 'auditsAfter'] += audited.length / (TASKS / 2) / seeds
      if (task < TASKS / 2 + SETTLE) continue
      const qualities = byKind[row.kind] ?? []
      sums.tasks++
      sums.best += qualities[bestArm] ?? 0
      sums.bestOfKind += Math.max(...qualities)
      sums.random += mean(qualities)
      sums.static += qualities[behind(row.estimates.indexOf(Math.max(...row.estimates)))] ?? 0
      sums.online += qualities[behind(chosen)] ?? 0
    }
  }
  const { tasks, auditsBefore, auditsAfter, ...scores } = sums
  const share = (who: 'online' | 'static', best: 'best' | 'bestOfKind'): number =>
    (scores[best] - scores[who]) / (scores[best] - scores.random)
  return {
    ...Object.fromEntries(Object.entries(scores).map(([who, sum]) => [who, rounded((100 * sum) / tasks)])),
    onlineRegretShare: rounded(share('online', 'best')),
    staticRegretShare: rounded(share('static', 'best')),
    onlineRegretShareOfKind: rounded(share('online', 'bestOfKind')),
    staticRegretShareOfKind: rounded(share('static', 'bestOfKind')),
    auditsBefore: rounded(auditsBefore),
    auditsAfter: rounded(auditsAfter),
  }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** A random order in which nobody stays at their place. */
function derangement(size: number, random: Random): readonly number[] {
  while (true) {
    const order = Array.from({ length: size }, (_, at) => ({ at, rank: random.next() }))
    const places = order.sort((a, b) => a.rank - b.rank).map(({ at }) => at)
    if (places.every((place, at) => place !== at)) return places
  }
}

const figures = {
  'unchanged, with audits': play(false, {}),
  'exchanged, with audits': play(true, {}),
  'unchanged, own choices alone': play(false, { auditRate: 0 }),
  'exchanged, own choices alone': play(true, { auditRate: 0 }),
}
console.table(figures)
if (values.results)
  writeFileSync(
    values.results,
    `${JSON.stringify(
      {
        date: new Date().toISOString().slice(0, 10),
        command: `npx tsx benchmarks/routing/online.ts --set <${name}> --train train${values.test ? ' --test test_public' : ''} --seeds ${seeds}`,
        tasks: TASKS,
        settle: SETTLE,
        figures,
      },
      null,
      2,
    )}\n`,
  )
