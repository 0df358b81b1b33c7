import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { trainTextRouter } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { type ClientOptions, postJson } from '../client.ts'
import { readOutcomes, toTable } from '../learning/outcome-log.ts'
import { paint, type Terminal } from '../terminal.ts'

export interface LearnCommand extends Partial<ClientOptions> {
  readonly dataDir?: string
  /** @default `outcomes.jsonl` of the data directory */
  readonly log?: string
  /** @default `router.json` of the data directory */
  readonly output?: string
  readonly minAnswers?: number
  /** A model of the network whose vectors of the questions are learned from. @default words of the questions */
  readonly embed?: string
  readonly json?: boolean
}

/** Questions below which cross-validation has nothing to choose by. */
const MIN_QUESTIONS = 30

/** `modelnet learn`: trains a router from the graded answers of a node, for `service.router` of its configuration. */
export async function learn(options: LearnCommand, terminal: Terminal): Promise<void> {
  const { dataDir = join(homedir(), '.modelnet'), minAnswers = 10, json, embed: encoder } = options
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
  const words = trainTextRouter(table, { onProgress })
  const vectors = encoder === undefined ? [] : await vectorsOf(questions, encoder, options, onProgress)
  const state =
    encoder === undefined
      ? words
      : { ...trainTextRouter(table, { onProgress, embedding: { model: encoder, vectors } }), words }
  const text = JSON.stringify(state)
  mkdirSync(dirname(output), { recursive: true })
  writeFileSync(`${output}.new`, text, { mode: 0o600 })
  renameSync(`${output}.new`, output)
  const result = {
    output,
    questions: questions.length,
    arms,
    bytes: Buffer.byteLength(text),
    encoder: encoder ?? 'words',
  }
  if (json) {
    terminal.out(`${JSON.stringify(result)}\n`)
    return
  }
  const size = `${(result.bytes / 1e6).toFixed(1)} MB`
  terminal.out(
    `${output}: ${size}, from ${result.questions} questions over ${arms.length} models by ${encoder ?? 'words'}\n` +
      'a node loads it with `service: { router: … }` in its configuration\n',
  )
}

/** Texts of one request: few enough that one node is not kept from others for long. */
const BATCH = 64

const AnswerSchema = z.object({ data: z.array(z.object({ embedding: z.array(z.number()).min(1) })) })

/** By a running node, which finds the model wherever it is. Throws its error, or PROTOCOL_ERROR. */
async function vectorsOf(
  questions: readonly string[],
  model: string,
  options: LearnCommand,
  onProgress: (message: string) => void,
): Promise<readonly (readonly number[])[]> {
  const { url, ...rest } = options
  if (url === undefined)
    throw new ModelNetError('INVALID_CONFIG', 'expected --url, the gateway of a node that reaches the embedding model')
  const vectors: (readonly number[])[] = []
  for (let from = 0; from < questions.length; from += BATCH) {
    const input = questions.slice(from, from + BATCH)
    const answer = AnswerSchema.safeParse(await postJson('/v1/embeddings', { model, input }, { ...rest, url }))
    if (!answer.success || answer.data.data.length !== input.length)
      throw new ModelNetError('PROTOCOL_ERROR', `${url} did not answer with embeddings`)
    vectors.push(...answer.data.data.map(({ embedding }) => embedding))
    onProgress(`embedded ${vectors.length} of ${questions.length} questions with ${model}`)
  }
  return vectors
}
