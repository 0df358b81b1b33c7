import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { shippedModels, shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import type { Question } from '../../src/evaluation/index.ts'
import { graderOf, loadJsonl } from '../../src/evaluation/index.ts'
import type { DecodeTextOptions, FusedMember, FusedSession, FusionOptions } from '../../src/interaction/index.ts'
import { createFusedSession, decodeText } from '../../src/interaction/index.ts'
import type { DecodeSession, DistributionKind, LanguageModel, LoadedModel } from '../../src/resource/index.ts'
import { createLlamaCppEngine } from '../../src/resource/index.ts'

export const BYTES: DistributionKind = { kind: 'bytes' }

export const textArgument = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** Questions that no default was chosen on: `python3 training/questions.py FOLDER`. */
export const FRESH: string | undefined = textArgument('fresh')

export interface Family {
  readonly names: readonly string[]
  model(name: string): LoadedModel
  /** Held-out questions of a model, in file order: of its own file, or of the folder that `--fresh` names. */
  questions(name: string, limit?: number): Promise<readonly Question[]>
  close(): Promise<void>
}

/** Loads shipped models (all there are, or those named) into one llama.cpp engine in this process. */
export async function loadFamily(
  wanted: readonly string[] = [],
  spec: { readonly contextLength?: number; readonly concurrency?: number } = {},
): Promise<Family> {
  const engine = createLlamaCppEngine()
  const models = new Map<string, LoadedModel>()
  for (const shipped of shippedModels())
    if (wanted.length === 0 || wanted.includes(shipped.name))
      models.set(shipped.name, await engine.load({ ...shipped.spec, ...spec }, { node: 'local' }))
  return {
    names: [...models.keys()],
    model(name) {
      const model = models.get(name)
      if (!model) throw new Error(`the benchmark needs the shipped model ${name}`)
      return model
    },
    async questions(name, limit = Number.POSITIVE_INFINITY) {
      const file = FRESH ? join(FRESH, `${name}.jsonl`) : join(shippedModelsDirectory(), name, 'heldout.jsonl')
      return existsSync(file) ? (await loadJsonl(file)).slice(0, limit) : []
    },
    close: () => engine.close(),
  }
}

export async function open(
  model: LoadedModel,
  question: string,
  distribution: DistributionKind = BYTES,
): Promise<DecodeSession> {
  if (!model.open) throw new Error(`${model.card.id} offers no decode sessions`)
  return model.open({ messages: [{ role: 'user', content: question }] }, { distribution })
}

/** Sessions of several models on one question, wherever they run. */
export const openAll = (
  models: readonly LanguageModel[],
  distribution: DistributionKind,
  question = 'What is 34 + 58?',
): Promise<DecodeSession[]> =>
  Promise.all(
    models.map(model => {
      if (!model.open) throw new Error(`${model.card.id} offers no decode sessions`)
      return model.open({ messages: [{ role: 'user', content: question }] }, { distribution })
    }),
  )

/** A fusion of shipped models on one question. */
export async function fuse(
  family: Family,
  names: readonly string[],
  question: string,
  options: FusionOptions & { readonly weights?: readonly number[]; readonly distribution?: DistributionKind } = {},
): Promise<FusedSession> {
  const { weights, distribution, ...fusion } = options
  const members: FusedMember[] = await Promise.all(
    names.map(async (name, index) => ({
      name,
      weight: weights?.[index] ?? 1,
      session: await open(family.model(name), question, distribution),
    })),
  )
  return createFusedSession(members, fusion)
}

export interface Written {
  readonly text: string
  readonly bytes: number
  readonly symbols: number
  readonly ms: number
}

/** Writes one answer and closes the session. */
export async function write(session: DecodeSession, options: DecodeTextOptions = {}): Promise<Written> {
  let text = ''
  let bytes = 0
  let symbols = 0
  const started = performance.now()
  try {
    for await (const part of decodeText(session, { maxTokens: 64, ...options }))
      if (part.type === 'text-delta') text += part.text
      else ({ bytes, symbols } = part.metrics)
  } finally {
    await session.close()
  }
  return { text, bytes, symbols, ms: performance.now() - started }
}

export const isRight = (question: Question, text: string): boolean =>
  graderOf(question.grader).grade(text, question.answer, question.choices ? { choices: question.choices } : {})
    .verdict === 'right'

/** A session whose steps take at least so long: a network round trip that nothing else shares. */
export function delayed(session: DecodeSession, ms: number): DecodeSession {
  return {
    distribution: session.distribution,
    step: async (step, options) => {
      if (step.next || step.peek || step.draft) await new Promise(resolve => setTimeout(resolve, ms))
      return session.step(step, options)
    },
    next: options => session.next(options),
    peek: (bytes, at, options) => session.peek(bytes, at, options),
    commit: (bytes, options) => session.commit(bytes, options),
    draft: (maxBytes, options) => session.draft(maxBytes, options),
    close: () => session.close(),
  }
}

export const argument = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}

export const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits))
