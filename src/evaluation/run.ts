import { toModelNetError } from '../utils/errors.ts'
import { createRandom, hash32 } from '../utils/random.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import type { Verdict } from './graders/grader.ts'
import { graderOf } from './graders.ts'
import type { Question } from './question.ts'
import type { System, SystemAnswer } from './system.ts'

/** What became of one question at one system. `failed` means that no answer came, `error` says why. */
export interface Row extends SystemAnswer {
  readonly system: string
  readonly question: string
  readonly verdict: Verdict | 'failed'
  readonly extracted?: string
  /** Error code of a failure. */
  readonly error?: string
  /** What went wrong, in words. */
  readonly reason?: string
}

export interface Progress {
  readonly done: number
  readonly total: number
  /** Rows taken from the checkpoint instead of being asked. */
  readonly resumed: number
  readonly row: Row
}

export interface EvaluateOptions {
  /** Questions in flight at the same time, all systems together. @default 1 */
  readonly concurrency?: number
  /** @default 1 */
  readonly seed?: number
  /** File that keeps finished rows, so that an interrupted run continues without asking them again; failed ones it asks again. */
  readonly checkpoint?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** Every system's answers to every question, rows in the order of systems, then questions. */
export interface Evaluation {
  readonly seed: number
  readonly questions: readonly Question[]
  readonly systems: readonly string[]
  readonly rows: readonly Row[]
}

/**
 * Asks every system every question and grades the answers. Questions come in order; the order of systems within a
 * question is drawn anew for each, so that none profits from a warm machine. Two runs with the same seed ask the same.
 *
 * @throws INVALID_CONFIG when the checkpoint belongs to another run; INVALID_REQUEST for rows no grader can use
 */
export async function evaluate(
  systems: readonly System[],
  questions: readonly Question[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { concurrency = 1, seed = 1, signal } = options
  for (const question of questions) graderOf(question.grader).grade('', question.answer) // a defect shows before an hour is spent
  const checkpoint =
    options.checkpoint === undefined
      ? undefined
      : await openCheckpoint(options.checkpoint, fingerprint(systems, questions, seed))
  const finished = (checkpoint?.rows ?? []).filter(({ verdict }) => verdict !== 'failed')
  const rows = new Map<string, Row>(finished.map(row => [keyOf(row.system, row.question), row]))
  const resumed = rows.size
  const work = questions.flatMap(question => shuffled(systems, seed, question.id).map(system => ({ system, question })))
  const open = work.filter(({ system, question }) => !rows.has(keyOf(system.name, question.id)))
  let next = 0
  const worker = async (): Promise<void> => {
    for (let item = open[next++]; item; item = open[next++]) {
      signal?.throwIfAborted()
      const row = await ask(item.system, item.question, seed, signal)
      rows.set(keyOf(row.system, row.question), row)
      await checkpoint?.append(row)
      options.onProgress?.({ done: rows.size, total: work.length, resumed, row })
    }
  }
  try {
    const outcomes = await Promise.allSettled(
      Array.from({ length: Math.max(1, Math.min(concurrency, open.length)) }, worker),
    )
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  } finally {
    await checkpoint?.close()
  }
  const ordered = systems.flatMap(system => questions.map(question => rows.get(keyOf(system.name, question.id))))
  return {
    seed,
    questions,
    systems: systems.map(system => system.name),
    rows: ordered.filter(row => row !== undefined),
  }
}

/** The grade of one answer to one question, as a row. */
function toRow(system: string, question: Question, answer: SystemAnswer): Row {
  const grade = graderOf(question.grader).grade(
    answer.text,
    question.answer,
    question.choices ? { choices: question.choices } : {},
  )
  return { system, question: question.id, ...answer, ...grade }
}

/** The seed of one question in a run, the same whatever was asked before. */
export const questionSeed = (seed: number, question: string): number => hash32(`${seed}:${question}`) & 0x7fffffff

async function ask(system: System, question: Question, seed: number, signal: AbortSignal | undefined): Promise<Row> {
  const started = performance.now()
  try {
    const answer = await system.answer(question, {
      seed: questionSeed(seed, question.id),
      ...(signal ? { signal } : {}),
    })
    return toRow(system.name, question, answer)
  } catch (error) {
    if (signal?.aborted) throw error
    const { code, message } = toModelNetError(error)
    const ms = performance.now() - started
    const usage = { promptTokens: 0, completionTokens: 0 }
    const failure = { verdict: 'failed', error: code, reason: message } as const
    return { system: system.name, question: question.id, text: '', usage, ms, calls: 0, ...failure }
  }
}

const keyOf = (system: string, question: string): string => JSON.stringify([system, question])

function shuffled(systems: readonly System[], seed: number, question: string): readonly System[] {
  const random = createRandom(questionSeed(seed, question)).fork('order')
  return systems
    .map(system => ({ system, draw: random.next() }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ system }) => system)
}

function fingerprint(
  systems: readonly System[],
  questions: readonly Question[],
  seed: number,
): Checkpoint['fingerprint'] {
  const text = JSON.stringify([systems.map(system => system.name), questions, seed])
  return { seed, questions: questions.length, systems: systems.length, digest: hash32(text).toString(16) }
}
