import type {
  ControlledEvaluateIndexOutput,
  ControlledEvaluateInputItem,
  LlamaContextSequence,
  Token,
} from 'node-llama-cpp'
import { isAbortError, isModelNetError, ModelNetError } from '../../../utils/errors.ts'
import { commonPrefix } from './sequence-pool.ts'

/** What is asked of the engine after one token. */
export type NextWanted = NonNullable<Exclude<ControlledEvaluateInputItem, Token>[1]['generateNext']>

export type NextOutput = ControlledEvaluateIndexOutput['next']

/** Tokens evaluated in one go: between two goes an abort is seen and other sequences get their turn. */
const CHUNK = 256

/**
 * Makes the sequence hold as much of the tokens as it already does, leaving at least the last `keepOut` to be
 * evaluated; returns how many it holds.
 */
export async function alignSequence(
  sequence: LlamaContextSequence,
  tokens: readonly Token[],
  keepOut: number,
): Promise<number> {
  const common = Math.min(commonPrefix(sequence.contextTokens, tokens), tokens.length - keepOut)
  await rollBack(sequence, common)
  return sequence.nextTokenIndex
}

/** Drops what the sequence holds beyond the first `length` tokens. */
export async function rollBack(sequence: LlamaContextSequence, length: number): Promise<void> {
  if (sequence.nextTokenIndex > length)
    await sequence.eraseContextTokenRanges([{ start: length, end: sequence.nextTokenIndex }])
}

/**
 * Evaluates tokens and answers what `wanted` asks after each of the last `scored`. The caller has checked that they
 * fit: the engine shifts its context silently when they do not.
 */
export async function evaluateTokens(
  sequence: LlamaContextSequence,
  tokens: readonly Token[],
  scored: number,
  wanted: (index: number) => NextWanted,
  signal?: AbortSignal,
): Promise<readonly NextOutput[]> {
  const outputs: NextOutput[] = []
  const firstScored = tokens.length - scored
  try {
    for (let from = 0; from < tokens.length; from += CHUNK) {
      signal?.throwIfAborted()
      const input = tokens
        .slice(from, from + CHUNK)
        .map(
          (token, index): ControlledEvaluateInputItem =>
            from + index >= firstScored ? [token, { generateNext: wanted(from + index) }] : token,
        )
      const results = await sequence.controlledEvaluate(input)
      for (let index = Math.max(0, firstScored - from); index < input.length; index++) {
        const next = results[index]?.next
        if (!next) throw new ModelNetError('ENGINE_FAILED', 'llama.cpp gave no scores for a token')
        outputs.push(next)
      }
    }
  } catch (error) {
    if (isAbortError(error) || isModelNetError(error)) throw error
    throw new ModelNetError('ENGINE_FAILED', `llama.cpp failed: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
  return outputs
}

export function contextOverflow(tokens: number, contextLength: number): ModelNetError {
  return new ModelNetError(
    'CONTEXT_OVERFLOW',
    `the prompt takes ${tokens} tokens, the model has a context of ${contextLength}`,
    { details: { promptTokens: tokens, contextLength } },
  )
}
