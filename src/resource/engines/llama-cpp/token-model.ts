import type { Token } from 'node-llama-cpp'
import { ModelNetError } from '../../../utils/errors.ts'
import type {
  FullScores,
  ScoresWanted,
  TokenEvaluation,
  TokenModel,
  TokenScores,
  TokenSequence,
  TopScores,
} from '../../decoding/token-model.ts'
import type { NextOutput, NextWanted } from './evaluation.ts'
import { alignSequence, contextOverflow, evaluateTokens, rollBack } from './evaluation.ts'
import type { SequenceLease, SequencePool } from './sequence-pool.ts'
import type { Tokenizer } from './tokenizer.ts'
import type { Vocabulary } from './vocabulary.ts'

export interface LlamaTokenModelParts {
  readonly pool: SequencePool
  readonly vocabulary: Vocabulary
  readonly tokenizer: Tokenizer
  readonly endTokens: ReadonlySet<number>
  readonly contextLength: number
  /** True: a session that finds no sequence waits for one instead of being refused. */
  readonly waits: boolean
}

/** What llama.cpp gives to decode sessions: full or best log-probabilities after any token, KV state kept. */
export function createLlamaTokenModel(parts: LlamaTokenModelParts): TokenModel {
  const { pool, vocabulary, tokenizer, endTokens, contextLength, waits } = parts
  return {
    vocabulary: vocabulary.bytes,
    endTokens,
    contextLength,
    tokenize: tokenizer.inside,
    async openSequence({ scores, signal }) {
      signal?.throwIfAborted()
      const lease = waits ? await pool.take([], signal) : pool.tryTake([])
      if (!lease)
        throw new ModelNetError('OVERLOADED', `all ${pool.size} sequences of the model are in use`, {
          details: { retryAfterMs: 1000 },
        })
      return createSequence(parts, lease, scores)
    },
  }
}

function createSequence(
  { pool, vocabulary, endTokens, contextLength }: LlamaTokenModelParts,
  first: SequenceLease,
  scores: ScoresWanted,
): TokenSequence {
  let lease = first
  let length = 0
  let started = false
  let closed = false
  const wanted = toWanted(scores, endTokens)
  const toScores = (next: NextOutput): TokenScores =>
    scores.kind === 'full' ? toFullScores(next, vocabulary.bytes.length) : toTopScores(next)

  const evaluate = async (
    { keep, runs }: TokenEvaluation,
    signal?: AbortSignal,
  ): Promise<readonly (readonly TokenScores[])[]> => {
    if (closed) throw new ModelNetError('INVALID_REQUEST', 'the decode session is closed')
    if (keep > length) throw new ModelNetError('INTERNAL', `${keep} tokens were to be kept of ${length}`)
    const longest = keep + Math.max(...runs.map(run => run.tokens.length))
    if (longest > contextLength) throw contextOverflow(longest, contextLength)
    const answers: (readonly TokenScores[])[] = []
    for (const { tokens, scored } of runs) {
      const run = tokens as readonly Token[] // token ids of this vocabulary
      let from = 0
      try {
        if (started) await rollBack(lease.sequence, keep)
        else {
          lease = pool.exchange(lease, run)
          from = await alignSequence(lease.sequence, run, scored)
        }
        const outputs = await evaluateTokens(lease.sequence, run.slice(from), scored, () => wanted, signal)
        answers.push(outputs.map(toScores))
      } finally {
        length = lease.sequence.nextTokenIndex
        started = true
      }
    }
    return answers
  }
  return {
    get length() {
      return length
    },
    evaluate,
    async close() {
      if (closed) return
      closed = true
      lease.release()
    },
  }
}

const toWanted = (scores: ScoresWanted, endTokens: ReadonlySet<number>): NextWanted =>
  scores.kind === 'full'
    ? { logits: true }
    : {
        logits: { filter: { tokens: [...endTokens] as Token[], includeTop: scores.count } }, // ids of this vocabulary
        totalLogitWeight: true,
      }

/** Normalised here in double precision, so that the sum is 1 whatever the engine's float32 sum was. */
function toFullScores(next: NextOutput, vocabularySize: number): FullScores {
  const logits = next.logits ?? new Map<Token, number>()
  const max: number = logits.values().next().value ?? 0
  const logprobs = new Float64Array(vocabularySize).fill(Number.NEGATIVE_INFINITY)
  let sum = 0
  for (const [token, logit] of logits) {
    logprobs[token] = logit - max
    sum += Math.exp(logit - max)
  }
  const normal = Math.log(sum)
  for (let token = 0; token < logprobs.length; token++) logprobs[token] = (logprobs[token] ?? 0) - normal
  return { kind: 'full', logprobs }
}

function toTopScores(next: NextOutput): TopScores {
  const logits = next.logits ?? new Map<Token, number>()
  const max: number = logits.values().next().value ?? 0
  const normal = max + Math.log(next.totalLogitWeight ?? 1)
  return {
    kind: 'top',
    tokens: Uint32Array.from(logits.keys()),
    logprobs: Float64Array.from(logits.values(), logit => logit - normal),
  }
}
