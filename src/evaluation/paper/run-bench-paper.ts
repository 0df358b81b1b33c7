import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLlamaCppEngine, type LanguageModel } from '../../resource/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { type ReportDocument, renderText } from '../report/document.ts'
import { renderHtml } from '../report/html.ts'
import type { Progress } from '../run.ts'
import type { ExperimentResult, PaperModel } from './bench.ts'
import { createLocalBench } from './local-bench.ts'
import { PARTS, type PaperPart } from './parts.ts'

export interface BenchPaperOptions {
  /** @default every part */
  readonly parts?: readonly PaperPart[]
  readonly models: readonly PaperModel[]
  /** JSONL of questions that no single model can answer. */
  readonly composite?: string
  /** Folder for `report.html`, `report.json`, `report.txt` and the checkpoints. */
  readonly output: string
  /** @default 1 */
  readonly seed?: number
  /** Questions per set. @default 50, as in DuetNet */
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

/** Nodes that hold a copy of every model, for stability: figure 6 has five. */
const REPLICAS = 5

/**
 * The paper's experiments on local models, through the engine, coordinator, matching and fusion of the product.
 * Everything runs one question at a time, so that a second run with the same seed gives the same answers.
 */
export async function runBenchPaper(options: BenchPaperOptions): Promise<BenchPaperResult> {
  const { models, output, seed = 1, questions = 50, resume = false, facts = {}, signal, onProgress } = options
  const parts = options.parts ?? (Object.keys(PARTS) as PaperPart[]) // keys of the table are its parts
  if (models.length < 2) throw new ModelNetError('INVALID_CONFIG', `expected at least two models, got ${models.length}`)
  await mkdir(output, { recursive: true })
  const engine = createLlamaCppEngine()
  const started = performance.now()
  const digest = createHash('sha256')
  try {
    const loaded: LanguageModel[] = []
    for (const { spec } of models)
      loaded.push(await engine.load(spec, { node: 'node-1', ...(signal ? { signal } : {}) }))
    const results: ExperimentResult[] = []
    for (const part of parts) {
      const result = await PARTS[part]({
        bench: createLocalBench([{ id: 'node-1', models: loaded }]),
        replicated: createLocalBench(
          Array.from({ length: REPLICAS }, (_, index) => ({ id: `node-${index + 1}`, models: loaded })),
        ),
        nodes: Array.from({ length: REPLICAS }, (_, index) => `node-${index + 1}`),
        models,
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
      models: models.map(({ spec }) => spec.id).join(', '),
      duration: `${((performance.now() - started) / 60_000).toFixed(1)} min`,
      ...facts,
    })
  } finally {
    await engine.close()
  }
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
