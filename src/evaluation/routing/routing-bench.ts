import { writeFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import { loadTextRouter, trainTextRouter } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { BenchSet, RoutingBenchOptions, RoutingFigures, TrainedBench } from './bench-set.ts'
import { BENCH_SETS } from './bench-sets.ts'
import type { RoutingMeta, RoutingRow } from './routing-set.ts'
import { readRoutingMeta, readRoutingRows } from './routing-set.ts'
import { stripMarkers } from './strip-markers.ts'

export type { RoutingBenchOptions, RoutingFigures }

export interface RoutingBenchResult {
  readonly set: string
  /** Models of up to so many billion active parameters took part; absent where all did. */
  readonly maxParameters?: number
  readonly models: readonly string[]
  /** Decisions that were written. */
  readonly files: readonly string[]
  readonly trainRows: number
  readonly testRows: number
  readonly trainSeconds: number
  readonly decisionsPerSecond: number
  readonly stateBytes: number
  readonly mixture: Readonly<Record<string, number>>
  readonly figures: readonly RoutingFigures[]
}

/**
 * `modelnet bench routing`: trains the product's router on recorded answers and decides for recorded questions. Every
 * choice (mixture of routers, members of votes, cascades) is made on the training rows alone.
 */
export function runRoutingBench(options: RoutingBenchOptions): RoutingBenchResult {
  const { onProgress = () => undefined, strip = false, folds = 3 } = options
  const meta = readRoutingMeta(join(options.set, 'meta.json'))
  const bench: BenchSet | undefined = BENCH_SETS[meta.name]
  if (!bench)
    throw new ModelNetError(
      'INVALID_REQUEST',
      `expected a set of ${Object.keys(BENCH_SETS).join(', ')}, got ${meta.name}`,
    )
  const train = readRoutingRows(options.train)
  const test = readRoutingRows(options.test)
  const limit = options.maxParameters ?? bench.maxParameters ?? Number.POSITIVE_INFINITY
  const pool = poolOf(meta, limit)
  const textOf = (row: RoutingRow): string => {
    const text = row.question ?? row.query
    return strip ? stripMarkers(text) : text
  }
  const started = performance.now()
  const table = bench.table({ meta, pool, train, textOf, options })
  let heldOut: Float64Array = new Float64Array()
  const onHeldOut = (quality: Float64Array): void => {
    heldOut = quality
  }
  const state = trainTextRouter(table, { folds, onProgress, onHeldOut })
  const trainSeconds = (performance.now() - started) / 1000
  const router = loadTextRouter(state)
  const trained: TrainedBench = { meta, pool, train, test, textOf, router, heldOut, options }
  const texts = test.map(textOf)
  const deciding = performance.now()
  for (const text of texts.slice(0, 2000)) router.choose(text)
  const decisionsPerSecond = Math.min(2000, texts.length) / ((performance.now() - deciding) / 1000)
  const { decisions, figures } = bench.decide(trained)
  const files = writeDecisions(options.decisions, decisions)
  return {
    set: meta.name,
    ...(Number.isFinite(limit) && { maxParameters: limit }),
    files,
    models: pool.map(model => meta.models[model] ?? ''),
    trainRows: train.length,
    testRows: test.length,
    trainSeconds,
    decisionsPerSecond,
    stateBytes: JSON.stringify(state).length,
    mixture: state.weights,
    figures,
  }
}

/**
 * The decisions, and where they are combinations, one model per question in a second file: the scorer takes a line with an
 * `answer` for a combination.
 */
function writeDecisions(
  file: string | undefined,
  decisions: readonly Readonly<Record<string, unknown>>[],
): readonly string[] {
  if (file === undefined) return []
  const write = (path: string, lines: readonly object[]): string => {
    writeFileSync(path, `${lines.map(line => JSON.stringify(line)).join('\n')}\n`)
    return path
  }
  const files = [write(file, decisions)]
  if (decisions.some(({ models }) => models !== undefined)) {
    const { dir, name, ext } = parse(file)
    const single = decisions.map(({ id, model }) => ({ id, model }))
    files.push(write(join(dir, `${name}.single${ext}`), single))
  }
  return files
}

function poolOf({ models, active_params_b: parameters }: RoutingMeta, limit: number): readonly number[] {
  const all = [...models.keys()]
  const pool = all.filter(model => (parameters?.[model] ?? Number.POSITIVE_INFINITY) <= limit)
  if (pool.length < 2)
    throw new ModelNetError('INVALID_REQUEST', `expected at least two models of up to ${limit} billion parameters`)
  return pool
}

/** The result as text: one row per line of figures. */
export function formatRoutingBench(result: RoutingBenchResult): string {
  const lines = result.figures.map(({ name, figures, intervals }) => {
    const cells = Object.entries(figures).map(([metric, value]) => {
      const interval = intervals?.[metric]
      const range = interval ? ` [${interval.map(show).join(', ')}]` : ''
      return `${metric} ${show(value)}${range}`
    })
    return `${name.padEnd(28)} ${cells.join('  ')}`
  })
  const mixture = Object.entries(result.mixture).map(([name, weight]) => `${name} ${weight}`)
  return [
    `${result.set}: ${result.trainRows} training rows, ${result.testRows} test rows, ${result.models.length} models` +
      (result.maxParameters === undefined ? '' : ` of up to ${result.maxParameters} billion active parameters`),
    ...lines,
    `mixture ${mixture.join(', ')}; trained in ${result.trainSeconds.toFixed(1)} s; ` +
      `${Math.round(result.decisionsPerSecond)} decisions/s; state ${(result.stateBytes / 1e6).toFixed(2)} MB`,
    ...result.files.map(file => `decisions in ${file}`),
  ].join('\n')
}

const show = (value: number): string => (Math.abs(value) < 2 ? value.toFixed(4) : value.toFixed(2))
