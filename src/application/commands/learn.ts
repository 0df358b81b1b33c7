import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { trainTextRouter } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { readOutcomes, toTable } from '../learning/outcome-log.ts'
import { paint, type Terminal } from '../terminal.ts'

export interface LearnCommand {
  readonly dataDir?: string
  /** @default `outcomes.jsonl` of the data directory */
  readonly log?: string
  /** @default `router.json` of the data directory */
  readonly output?: string
  readonly minAnswers?: number
  readonly json?: boolean
}

/** Questions below which cross-validation has nothing to choose by. */
const MIN_QUESTIONS = 30

/** `modelnet learn`: trains a router from the graded answers of a node, for `service.router` of its configuration. */
export function learn(options: LearnCommand, terminal: Terminal): void {
  const { dataDir = join(homedir(), '.modelnet'), minAnswers = 10, json } = options
  const { log = join(dataDir, 'outcomes.jsonl'), output = join(dataDir, 'router.json') } = options
  const table = toTable(readOutcomes(log), { minAnswers })
  const { arms, questions } = table
  if (arms.length < 2 || questions.length < MIN_QUESTIONS)
    throw new ModelNetError(
      'INVALID_REQUEST',
      `${log} has ${questions.length} graded questions and ${arms.length} models of ${minAnswers} answers or more; ` +
        `expected at least ${MIN_QUESTIONS} and 2`,
    )
  const onProgress = (message: string): void => terminal.err(paint(terminal, 'dim', `${message}\n`))
  const text = JSON.stringify(trainTextRouter(table, { onProgress }))
  mkdirSync(dirname(output), { recursive: true })
  writeFileSync(`${output}.new`, text, { mode: 0o600 })
  renameSync(`${output}.new`, output)
  const result = { output, questions: questions.length, arms, bytes: Buffer.byteLength(text) }
  if (json) {
    terminal.out(`${JSON.stringify(result)}\n`)
    return
  }
  const size = `${(result.bytes / 1e6).toFixed(1)} MB`
  terminal.out(
    `${output}: ${size}, from ${result.questions} questions over ${arms.length} models\n` +
      'a node loads it with `service: { router: … }` in its configuration\n',
  )
}
