import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLlamaCppEngine, type LanguageModel } from '../../resource/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { type ReportDocument, renderText } from '../report/document.ts'
import { renderHtml } from '../report/html.ts'
import type { Progress } from '../run.ts'
import type { ExperimentResult, PaperModel } from './bench.ts'
import { createGatewayBench, type GatewayBenchOptions } from './gateway-bench.ts'
import { createLocalBench } from './local-bench.ts'
import { PARTS, type PaperPart, type PartContext, shortName } from './parts.ts'

export interface BenchPaperOptions {
  /** @default every part */
  readonly parts?: readonly PaperPart[]
  /** Models to run here, and the questions of each; with `network` only the questions, by the name after the last `/`. */
  readonly models: readonly PaperModel[]
  /** Ask the models of a running network instead. The parts are then `mixed`, `composite`, `generalisation` and `paths`. */
  readonly network?: GatewayBenchOptions
  /** JSONL of questions that no single model can answer. */
  readonly composite?: string
  /** Folder for `report.html`, `report.json`, `report.txt` and the checkpoints. */
  readonly output: string
  /** @default 1 */
  readonly seed?: number
  /** Questions per set; DuetNet has 50. @default 30, which takes less than half an hour on two cores */
  readonly questions?: number
  /** Continue an interrupted run from its checkpoints in `output`. @default false */
  readonly resume?: boolean
  /** What a reader needs to judge the figures: commit, machine, load. */
  readonly facts?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly onProgress?: (part: string, progress: Progress) => void
}

export interface BenchPaperResult {
  readonly report: ReportDocument
  readonly results: readonly ExperimentResult[]
  /** SHA-256 over every answer in order: equal for two runs with the same seed, models and questions. */
  readonly answers: string
  readonly text: string
  readonly files: { readonly html: string; readonly json: string; readonly text: string }
}

/** Parts that need neither members going offline nor parameters of fusion rules. */
const NETWORK_PARTS: readonly PaperPart[] = ['mixed', 'composite', 'generalisation', 'paths']

/**
 * Nodes that hold a copy of every model, for stability. Figure 6 has five, of which none is online in one request of 32
 * at rate 0.5: a loss of up to 3.1 points that no network can help. With seven it is one of 128.
 */
const REPLICAS = 7

/**
 * The paper's experiments on local models, through the engine, coordinator, matching and fusion of the product.
 * Everything runs one question at a time, so that a second run with the same seed gives the same answers.
 */
export async function runBenchPaper(options: BenchPaperOptions): Promise<BenchPaperResult> {
  const { models, network, output, seed = 1, questions = 30, resume = false, facts = {}, signal, onProgress } = options
  const allowed = network ? NETWORK_PARTS : (Object.keys(PARTS) as PaperPart[]) // keys of the table are its parts
  const parts = options.parts ?? allowed
  for (const part of parts)
    if (!allowed.includes(part))
      throw new ModelNetError(
        'INVALID_CONFIG',
        `no part ${part}${network ? ' on a running network' : ''}; there are ${allowed.join(', ')}`,
      )
  const members = network?.members ?? models
  if (members.length < 2)
    throw new ModelNetError('INVALID_CONFIG', `expected at least two models, got ${members.length}`)
  await mkdir(output, { recursive: true })
  const started = performance.now()
  const digest = createHash('sha256')
  const place = network ? onNetwork(network) : await inProcess(models, signal)
  try {
    const results: ExperimentResult[] = []
    for (const part of parts) {
      const result = await PARTS[part]({
        ...place,
        files: models.map(({ spec, heldout }) => ({ name: shortName(spec.id), heldout })),
        questions,
        options: {
          seed,
          concurrency: 1,
          ...(options.composite === undefined ? {} : { composite: options.composite }),
          ...(resume ? { checkpoints: join(output, 'checkpoints') } : {}),
          ...(signal ? { signal } : {}),
          ...(onProgress ? { onProgress } : {}),
          onEvaluation: ({ rows }) => {
            for (const { system, question, text, verdict } of rows)
              digest.update(JSON.stringify([system, question, text, verdict]))
          },
        },
      })
      results.push(...result)
    }
    return await write(results, digest.digest('hex'), output, {
      date: new Date().toISOString(),
      seed: String(seed),
      'questions per set': String(questions),
      models: place.bench.members.join(', '),
      duration: `${((performance.now() - started) / 60_000).toFixed(1)} min`,
      ...facts,
    })
  } finally {
    await place.close()
  }
}

type Place = Pick<PartContext, 'bench' | 'replicated' | 'nodes'> & { close(): Promise<void> }

function onNetwork(network: GatewayBenchOptions): Place {
  const bench = createGatewayBench(network)
  return { bench, replicated: bench, nodes: [], close: () => Promise.resolve() }
}

async function inProcess(models: readonly PaperModel[], signal: AbortSignal | undefined): Promise<Place> {
  const engine = createLlamaCppEngine()
  try {
    const loaded: LanguageModel[] = []
    for (const { spec } of models)
      loaded.push(await engine.load(spec, { node: 'node-1', ...(signal ? { signal } : {}) }))
    const named = withShortNames(loaded)
    const nodes = Array.from({ length: REPLICAS }, (_, index) => `node-${index + 1}`)
    return {
      bench: createLocalBench([{ id: 'node-1', models: named }]),
      replicated: createLocalBench(nodes.map(id => ({ id, models: named }))),
      nodes,
      close: () => engine.close(),
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** `arithmetic-a` for `modelnet/arithmetic-a` where that says who is meant: tables are narrow. */
function withShortNames(models: readonly LanguageModel[]): readonly LanguageModel[] {
  const unique = new Set(models.map(({ card }) => shortName(card.id))).size === models.length
  return unique ? models.map(model => ({ ...model, card: { ...model.card, id: shortName(model.card.id) } })) : models
}

async function write(
  results: readonly ExperimentResult[],
  answers: string,
  output: string,
  facts: Readonly<Record<string, string>>,
): Promise<BenchPaperResult> {
  const report: ReportDocument = {
    title: 'AI-Model Network: the experiments of the papers on the shipped models',
    facts: { ...facts, answers },
    highlights: results.flatMap(({ highlight }) => highlight ?? []),
    sections: results,
  }
  const files = {
    html: join(output, 'report.html'),
    json: join(output, 'report.json'),
    text: join(output, 'report.txt'),
  }
  const text = renderText(report)
  const figures = Object.fromEntries(results.map(result => [result.name, result.figures]))
  await writeFile(files.html, renderHtml(report))
  await writeFile(files.json, `${JSON.stringify({ facts: report.facts, figures }, null, 1)}\n`)
  await writeFile(files.text, `${text}\n`)
  return { report, results, answers, text, files }
}
