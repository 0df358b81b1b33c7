import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'

/** One question with the recorded outcome of every model of a pool. */
export interface RecordedRow {
  readonly id: string
  readonly dataset: string
  readonly query: string
  /** Text each model answered. */
  readonly responses: readonly string[]
  /** 0..1 for each model. */
  readonly scores: readonly number[]
  /** For each model; the unit is the set's. */
  readonly costs: readonly number[]
}

export interface RecordedSet {
  readonly models: readonly string[]
  readonly train: readonly RecordedRow[]
  readonly test: readonly RecordedRow[]
}

const RouterBenchRow = z.object({
  id: z.string(),
  dataset: z.string(),
  query: z.string(),
  question: z.string(),
  responses: z.array(z.string()),
  scores: z.array(z.number()),
  costs: z.array(z.number()),
})
const MmluProRow = z.object({
  id: z.string(),
  dataset: z.string(),
  query: z.string(),
  answer: z.string(),
  preds: z.string(),
  out_chars: z.array(z.number()),
})
const Meta = z.object({ models: z.array(z.string()), active_params_b: z.array(z.number().nullable()).optional() })

/** `routerbench3`: true cost in dollars; the last question of the prompt stands for the whole. */
export function readRouterBench(directory: string): RecordedSet {
  const { models } = Meta.parse(JSON.parse(readFileSync(join(directory, 'meta.json'), 'utf8')))
  const read = (file: string): readonly RecordedRow[] =>
    lines(join(directory, 'dev', file)).map(line => {
      const { question, ...row } = RouterBenchRow.parse(line)
      return { ...row, query: question }
    })
  return { models, train: read('train.jsonl.gz'), test: read('test_public.jsonl.gz') }
}

/** `mmlupro28`, models up to so many billions of active parameters; cost is parameters x characters (a proxy). */
export function readMmluPro(directory: string, maxActiveBillions: number): RecordedSet {
  const meta = Meta.parse(JSON.parse(readFileSync(join(directory, 'meta.json'), 'utf8')))
  const sizes = meta.active_params_b ?? []
  const kept = meta.models.flatMap((_, index) => {
    const size = sizes[index]
    return typeof size === 'number' && size <= maxActiveBillions ? [index] : []
  })
  const read = (file: string): readonly RecordedRow[] =>
    lines(join(directory, 'dev', file)).map(line => {
      const { id, dataset, query, answer, preds, out_chars } = MmluProRow.parse(line)
      return {
        id,
        dataset,
        query,
        responses: kept.map(index => (preds[index] === '-' ? '' : (preds[index] ?? ''))),
        scores: kept.map(index => (preds[index] === answer ? 1 : 0)),
        costs: kept.map(index => ((sizes[index] ?? 0) * (query.length + (out_chars[index] ?? 0))) / 4000),
      }
    })
  return {
    models: kept.map(index => meta.models[index] ?? ''),
    train: read('train.jsonl.gz'),
    test: read('test_public.jsonl.gz'),
  }
}

const lines = (file: string): readonly unknown[] =>
  gunzipSync(readFileSync(file))
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as unknown)
