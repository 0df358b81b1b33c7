import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isErrorCode, ModelNetError } from '../utils/errors.ts'
import { loadJsonl } from './datasets/jsonl.ts'
import { gatewaySystem } from './gateway-system.ts'
import type { Question } from './question.ts'
import { terminalReport } from './report/table.ts'
import { evaluate, type Progress, type Row } from './run.ts'
import { type SystemSummary, summarise } from './summary.ts'

export interface BenchAskOptions {
  /** Base URL of a running gateway, without `/v1`. */
  readonly url: string
  readonly key?: string
  /** JSONL file: `question` and `answer` per row; `grader`, `id`, `tag`, `kind` optional. */
  readonly questions: string
  /** One model, by id. Not together with `pathway`. */
  readonly model?: string
  /** A pathway in its text form. @default the network chooses: `modelnet/auto` */
  readonly pathway?: string
  /** Questions in flight at the same time. @default 4 */
  readonly concurrency?: number
  /** @default 1 */
  readonly seed?: number
  /** Rows finished earlier are kept here and not asked again. */
  readonly checkpoint?: string
  /** File for the per-row results, JSONL. @default the questions file with `.results.jsonl` */
  readonly output?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** Per-row result, as in the file. */
export interface BenchAskRow extends Row {
  readonly asked: string
  readonly expected: string
  readonly tag?: string
  readonly kind?: string
}

/** What `modelnet bench ask --json` prints, and the same as a text table. */
export interface BenchAskResult {
  readonly asked: string
  readonly questions: number
  readonly seed: number
  readonly summary: SystemSummary
  /** By tag, where rows have tags. */
  readonly byTag: readonly SystemSummary[]
  /** Where the per-row results are. */
  readonly output: string
  readonly text: string
}

/**
 * Sends each row's question through a running network (or one model, or a pathway), grades it and sums up. A question
 * that fails is a row with its error code, not the end of the run; where all fail alike, that is the error.
 *
 * @throws NOT_FOUND or INVALID_REQUEST for the questions file, INVALID_REQUEST for model and pathway together,
 *   PEER_UNREACHABLE when no gateway answers at all, MODEL_NOT_FOUND or INVALID_PATHWAY for what the network does not know
 */
export async function runBenchAsk(options: BenchAskOptions): Promise<BenchAskResult> {
  const { url, key, model, pathway, concurrency = 4, seed = 1, checkpoint, signal, onProgress } = options
  if (model !== undefined && pathway !== undefined)
    throw new ModelNetError('INVALID_REQUEST', 'expected either a model or a pathway, not both')
  const questions = await loadJsonl(options.questions)
  if (questions.length === 0)
    throw new ModelNetError('INVALID_REQUEST', `${options.questions}: expected at least one question`)
  const output = options.output ?? `${options.questions.replace(/\.jsonl$/u, '')}.results.jsonl`
  const system = gatewaySystem({
    url,
    model: pathway ?? model ?? 'modelnet/auto',
    ...(key === undefined ? {} : { key }),
  })
  const { rows } = await evaluate([system], questions, {
    concurrency,
    seed,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  })
  throwIfAllFailedAlike(rows)
  await mkdir(dirname(output), { recursive: true })
  const detailed = rows.map((row, index) => withQuestion(row, questions[index]))
  await writeFile(output, detailed.map(row => `${JSON.stringify(row)}\n`).join(''))
  const summary = summarise(system.name, rows)
  const byTag = summariesByTag(detailed)
  const text = terminalReport([summary, ...(byTag.length > 1 ? byTag : [])])
  return {
    asked: system.name,
    questions: questions.length,
    seed,
    summary,
    byTag,
    output,
    text: `${text}\n\nrows: ${output}`,
  }
}

/** An unknown model or a wrong address is nothing that a score of zero would tell. */
function throwIfAllFailedAlike(rows: readonly Row[]): void {
  const [{ error, reason } = {}] = rows
  if (isErrorCode(error) && rows.every(row => row.error === error)) throw new ModelNetError(error, reason ?? error)
}

const withQuestion = (row: Row, question: Question | undefined): BenchAskRow => ({
  ...row,
  asked: question?.question ?? '',
  expected: question?.answer ?? '',
  ...(question?.tag === undefined ? {} : { tag: question.tag }),
  ...(question?.kind === undefined ? {} : { kind: question.kind }),
})

function summariesByTag(rows: readonly BenchAskRow[]): readonly SystemSummary[] {
  const tags = [...new Set(rows.map(row => row.tag))].filter(tag => tag !== undefined).sort()
  return tags.map(tag =>
    summarise(
      tag,
      rows.filter(row => row.tag === tag),
    ),
  )
}
