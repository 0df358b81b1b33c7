/**
 * A router asked about a field it never saw: each task of a set is left out of the training rows in turn, and the
 * router's choice on that task is compared with the best single model of the rows it was trained on.
 *
 *     npx tsx benchmarks/routing/out-of-depth.ts --set <dir> --train <file> [--results <file.json>]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readRoutingMeta, readRoutingRows } from '../../src/evaluation/routing/routing-set.ts'
import { armMeans } from '../../src/service/routing/arm-means.ts'
import { loadTextRouter } from '../../src/service/routing/text-router.ts'
import { trainTextRouter } from '../../src/service/routing/train-text-router.ts'

const { values } = parseArgs({
  options: { set: { type: 'string' }, train: { type: 'string' }, results: { type: 'string' } },
})
if (!values.set || !values.train) throw new Error('expected --set and --train')
const { models, name } = readRoutingMeta(`${values.set}/meta.json`)
const rows = readRoutingRows(values.train)
const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length
const measured = [...new Set(rows.map(({ dataset }) => dataset))].map(left => {
  const seen = rows.filter(({ dataset }) => dataset !== left)
  const unseen = rows.filter(({ dataset }) => dataset === left)
  const scores = Float32Array.from(seen.flatMap(row => row.scores ?? []))
  const router = loadTextRouter(
    trainTextRouter({ questions: seen.map(({ query }) => query), arms: models, scores }, { folds: 2 }),
  )
  const means = armMeans(seen.length, models.length, scores)
  const best = means.indexOf(Math.max(...means))
  const choices = unseen.map(({ query }) => router.choose(query))
  return {
    left,
    rows: unseen.length,
    router: 100 * mean(unseen.map(({ scores: own }, at) => own?.[choices[at]?.index ?? 0] ?? 0)),
    bestSingle: 100 * mean(unseen.map(({ scores: own }) => own?.[best] ?? 0)),
    familiarity: mean(choices.map(({ familiarity }) => familiarity)),
  }
})
console.table(measured)
if (values.results)
  writeFileSync(
    values.results,
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), command: `npx tsx benchmarks/routing/out-of-depth.ts --set <${name}>`, measured }, null, 2)}\n`,
  )
