import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { OutcomeTable } from '../../service/index.ts'
import type { Logger } from '../../utils/logger.ts'

/** One graded answer: what routers are trained on. */
export interface Outcome {
  readonly question: string
  /** A model without its node, or the text form of a pathway. */
  readonly arm: string
  /** 0 wrong .. 1 right. */
  readonly score: number
  readonly source: 'probe' | 'feedback'
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly ms?: number | undefined
  readonly cost?: number | undefined
}

/** Graded answers in a file that stays bounded; questions that nobody graded are never written. */
export interface OutcomeLog {
  append(outcome: Outcome): void
  /** Resolves when everything is written. */
  close(): Promise<void>
}

/** Longer questions are not kept: a router reads 300 words. */
const MAX_QUESTION = 8000

const OutcomeSchema: z.ZodType<Outcome> = z.object({
  question: z.string().min(1).max(MAX_QUESTION),
  arm: z.string().min(1).max(1000),
  score: z.number().min(0).max(1),
  source: z.enum(['probe', 'feedback']),
  at: z.number(),
  ms: z.number().min(0).optional(),
  cost: z.number().min(0).optional(),
})

/** Writes JSON lines for the owner only. At half of `maxBytes` the file becomes `<file>.1` in place of the one before. */
export function createOutcomeLog(
  file: string,
  { maxBytes, logger }: { readonly maxBytes: number; readonly logger: Logger },
): OutcomeLog {
  mkdirSync(dirname(file), { recursive: true })
  let size = existsSync(file) ? statSync(file).size : 0
  let writing: Promise<void> = Promise.resolve()
  const write = async (line: string): Promise<void> => {
    if (size + line.length > maxBytes / 2 && size > 0) {
      renameSync(file, `${file}.1`)
      size = 0
    }
    await appendFile(file, line, { mode: 0o600 })
    size += Buffer.byteLength(line)
  }
  return {
    append(outcome) {
      if (!OutcomeSchema.safeParse(outcome).success) return
      writing = writing
        .then(() => write(`${JSON.stringify(outcome)}\n`))
        .catch(error => logger.warn({ file, reason: String(error) }, 'an outcome was not written'))
    },
    close: () => writing,
  }
}

/** Reads a log and what was turned out of it, oldest first; lines that are no outcomes (a crash cuts the last) are left out. */
export function readOutcomes(file: string): readonly Outcome[] {
  return [`${file}.1`, file]
    .filter(existsSync)
    .flatMap(part => readFileSync(part, 'utf8').split('\n'))
    .flatMap(line => {
      const outcome = line.trim() === '' ? undefined : parse(line)
      return outcome ? [outcome] : []
    })
}

function parse(line: string): Outcome | undefined {
  try {
    return OutcomeSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

/**
 * Outcomes as a table: a row per question, the newest `maxQuestions` of them; an arm needs `minAnswers`, as a mean over
 * fewer says nothing. Several outcomes of one arm at one question are averaged.
 */
export function toTable(
  outcomes: readonly Outcome[],
  { minAnswers = 10, maxQuestions = 20_000 }: { readonly minAnswers?: number; readonly maxQuestions?: number } = {},
): OutcomeTable {
  const counts = new Map<string, number>()
  for (const { arm } of outcomes) counts.set(arm, (counts.get(arm) ?? 0) + 1)
  const arms = [...counts].flatMap(([arm, count]) => (count >= minAnswers ? [arm] : [])).sort()
  const places = new Map(arms.map((arm, place) => [arm, place]))
  const rows = new Map<string, { sum: number; count: number }[]>()
  for (const { question, arm, score } of outcomes) {
    const place = places.get(arm)
    if (place === undefined) continue
    const row = rows.get(question) ?? arms.map(() => ({ sum: 0, count: 0 }))
    rows.delete(question)
    rows.set(question, row)
    const cell = row[place]
    if (!cell) continue
    cell.sum += score
    cell.count++
  }
  const newest = [...rows].slice(-maxQuestions)
  const scores = newest.flatMap(([, row]) => row.map(({ sum, count }) => (count > 0 ? sum / count : Number.NaN)))
  return { questions: newest.map(([question]) => question), arms, scores: Float32Array.from(scores) }
}
