import type { Token } from 'node-llama-cpp'
import type { Score } from '../../../protocol/index.ts'
import { alignSequence, contextOverflow, evaluateTokens } from './evaluation.ts'
import type { SequencePool } from './sequence-pool.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * Log-probability of a text after a prompt, along the model's own tokens of it: one pass over prompt and text. Other
 * spellings of the same text in tokens add to its exact probability, so this is a lower bound of it.
 */
export async function scoreText(
  parts: { readonly pool: SequencePool; readonly tokenizer: Tokenizer; readonly contextLength: number },
  prompt: readonly Token[],
  text: string,
  signal: AbortSignal,
): Promise<Score> {
  const { pool, tokenizer, contextLength } = parts
  const bytes = new TextEncoder().encode(text)
  const tokens = tokenizer.inside(bytes)
  if (tokens.length === 0) return { logprob: 0, tokens: 0, bytes: 0 }
  // The last token is scored, not evaluated.
  const input = [...prompt, ...tokens.slice(0, -1)]
  if (input.length > contextLength) throw contextOverflow(input.length, contextLength)
  const lease = await pool.take(input, signal)
  try {
    const held = await alignSequence(lease.sequence, input, tokens.length)
    const outputs = await evaluateTokens(
      lease.sequence,
      input.slice(held),
      tokens.length,
      index => {
        const following = tokens[held + index - prompt.length + 1]
        // The best token for its logit, which normalises; `includeMax` of the engine leaves it out.
        const asked = following === undefined ? [] : [following]
        return { logits: { filter: { tokens: asked, includeTop: 1 } }, totalLogitWeight: true }
      },
      signal,
    )
    let logprob = 0
    outputs.forEach((next, index) => {
      const logits = next.logits ?? new Map<Token, number>()
      const max = Math.max(...logits.values())
      const token = tokens[index]
      const logit = token === undefined ? undefined : logits.get(token)
      logprob += (logit ?? Number.NEGATIVE_INFINITY) - max - Math.log(next.totalLogitWeight ?? 1)
    })
    return { logprob, tokens: tokens.length, bytes: bytes.length }
  } finally {
    lease.release()
  }
}
