import type { Capability, Distribution, ModelCard } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { systemClock } from '../utils/clock.ts'
import { isAbortError, ModelNetError, toModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import { silentLogger } from '../utils/logger.ts'
import type { CallOptions, DecodeSession, LanguageModel } from './language-model.ts'

export interface SelfTestOptions {
  readonly signal?: AbortSignal
  readonly clock?: Clock
  readonly logger?: Logger
  /** Time for the test of one capability. @default 30000 */
  readonly deadlineMs?: number
}

/** How far a distribution may sum from 1 (capability ladder: verified at join, 1 within 1e-3). */
const SUM_TOLERANCE = 1e-3
/** Natural-log units by which numbers that ought to agree may differ: quantised caches round differently in each batch. */
const LOG_TOLERANCE = 0.25

/** By how much the length of an embedding may miss 1: batches of other shapes round otherwise, some in 16 bits. */
const UNIT_TOLERANCE = 1e-3

const QUESTION = { messages: [{ role: 'user' as const, content: 'hello' }] }

type Test = (model: LanguageModel, options: CallOptions) => Promise<void>

/**
 * Tries everything a model's card claims, before any peer hears of it, and gives the model back with a card and methods
 * of what was seen to work. Rejects with the reason when it cannot even answer.
 */
export async function selfTest(model: LanguageModel, options: SelfTestOptions = {}): Promise<LanguageModel> {
  const { signal, clock = systemClock, logger = silentLogger, deadlineMs = 30_000 } = options
  const verified: Capability[] = []
  for (const capability of model.card.capabilities) {
    const started = clock.monotonic()
    try {
      await TESTS[capability](model, { deadlineMs, ...(signal ? { signal } : {}) })
      verified.push(capability)
      logger.debug({ model: model.card.id, capability, ms: clock.monotonic() - started }, 'capability verified')
    } catch (error) {
      signal?.throwIfAborted()
      if (isAbortError(error)) throw error
      const { code, message } = toModelNetError(error)
      logger.warn({ model: model.card.id, capability, code, message }, 'a capability failed its self-test')
      if (capability === 'generate')
        throw new ModelNetError(code, `model ${model.card.id} cannot answer: ${message}`, { cause: error })
    }
  }
  if (verified.length === 0)
    throw new ModelNetError('ENGINE_FAILED', `model ${model.card.id} can do nothing of what its card says`)
  return restrict(model, verified)
}

const TESTS: Readonly<Record<Capability, Test>> = {
  async generate(model, options) {
    let finished = 0
    for await (const part of model.generate({ ...QUESTION, maxTokens: 4 }, options)) {
      if (part.type !== 'finish') continue
      finished++
      expectThat(part.usage.completionTokens <= 4, `asked for 4 tokens, got ${part.usage.completionTokens}`)
    }
    expectThat(finished === 1, `${finished} parts of type finish, expected 1`)
  },

  async bytes(model, options) {
    await during(model, { kind: 'bytes' }, options, async session => {
      const { bytes } = await session.draft(4, options)
      const peeked = await session.peek(bytes, undefined, options)
      for (const distribution of peeked) expectSum(distribution)
      await session.commit(bytes, options)
      const [last, next] = [peeked.at(-1), await session.next(options)]
      const best = last ? mostProbable(last) : 0
      const [a, b] = [probabilityOf(last, best), probabilityOf(next, best)]
      expectThat(Math.abs(Math.log(a / b)) < LOG_TOLERANCE, `peek said ${a} where next says ${b}`)
    })
  },

  async tokens(model, options) {
    await during(model, { kind: 'tokens', top: 5 }, options, async session => {
      const first = await session.next(options)
      expectSum(first)
      if (first.kind !== 'tokens') throw failed('a session of another kind was opened')
      const [best] = first.candidates
      expectThat(
        first.candidates.every(({ bytes }) => bytes.length > 0),
        'a candidate has no bytes',
      )
      if (!best) return
      await session.commit(best.bytes, options)
      expectSum(await session.next(options))
    })
  },

  async score(model, options) {
    if (!model.score) throw failed('the card claims scores, the model has none')
    const text = 'a'
    const { logprob, bytes, tokens } = await model.score({ ...QUESTION, text }, options)
    expectThat(
      bytes === 1 && tokens >= 1 && logprob <= 0 && Number.isFinite(logprob),
      `score of one letter is ${logprob}`,
    )
    if (!model.open || !model.card.capabilities.includes('bytes')) return
    await during(model, { kind: 'bytes' }, options, async session => {
      const exact = Math.log(probabilityOf(await session.next(options), text.charCodeAt(0)))
      expectThat(logprob <= exact + LOG_TOLERANCE, `score ${logprob} is above the exact ${exact}`)
    })
  },

  async embed(model, options) {
    if (!model.embed) throw failed('the card claims embeddings, the model has none')
    const { embeddings } = await model.embed({ texts: ['one', 'one', 'two'] }, options)
    const [first, same, other] = embeddings
    if (!first || !same || !other) throw failed(`${embeddings.length} embeddings of three texts`)
    expectThat(Math.abs(cosine(first, first) - 1) < UNIT_TOLERANCE, 'an embedding is not of unit length')
    expectThat(cosine(first, same) > 1 - UNIT_TOLERANCE, 'the same text has two embeddings')
    expectThat(String(first) !== String(other), 'two texts have the same embedding')
  },
}

async function during(
  model: LanguageModel,
  distribution: DecodeSession['distribution'],
  options: CallOptions,
  work: (session: DecodeSession) => Promise<void>,
): Promise<void> {
  if (!model.open) throw failed('the card claims decode sessions, the model has none')
  const session = await model.open(QUESTION, { ...options, distribution })
  try {
    await work(session)
  } finally {
    await session.close()
  }
}

const cosine = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

function expectSum(distribution: Distribution): void {
  const sum =
    distribution.kind === 'bytes'
      ? distribution.probabilities.reduce((total, value) => total + value, 0)
      : distribution.candidates.reduce(
          (total, { logprob }) => total + Math.exp(logprob),
          Math.exp(distribution.end) + distribution.residual,
        )
  expectThat(Math.abs(sum - 1) <= SUM_TOLERANCE, `a distribution sums to ${sum}`)
}

const mostProbable = (distribution: Distribution): number =>
  distribution.kind === 'bytes' ? distribution.probabilities.indexOf(Math.max(...distribution.probabilities)) : 0

const probabilityOf = (distribution: Distribution | undefined, symbol: number): number =>
  distribution?.kind === 'bytes' ? (distribution.probabilities[symbol] ?? 0) : 0

function expectThat(condition: boolean, otherwise: string): void {
  if (!condition) throw failed(otherwise)
}

const failed = (why: string): ModelNetError => new ModelNetError('ENGINE_FAILED', why)

/** The model with what was verified, and nothing else. */
function restrict(model: LanguageModel, capabilities: readonly Capability[]): LanguageModel {
  const card: ModelCard = { ...model.card, capabilities }
  const { open, score, embed } = model
  return {
    card,
    generate: (request, options) => model.generate(request, options),
    ...(open && (capabilities.includes('tokens') || capabilities.includes('bytes')) ? { open: open.bind(model) } : {}),
    ...(score && capabilities.includes('score') ? { score: score.bind(model) } : {}),
    ...(embed && capabilities.includes('embed') ? { embed: embed.bind(model) } : {}),
  }
}
