import type { LlamaEmbeddingContext, LlamaModel } from 'node-llama-cpp'
import type { Clock } from '../../../utils/clock.ts'
import { startDeadline } from '../../../utils/deadline.ts'
import { isAbortError, isModelNetError, ModelNetError } from '../../../utils/errors.ts'
import { raceSignal } from '../../../utils/race-signal.ts'
import { checkTexts, type Embedder, toUnitLength } from '../../embedding.ts'
import { contextOverflow } from './evaluation.ts'

/**
 * Tokens of one text, where the spec asks for no more: a text is evaluated in one batch, whose attention takes memory with
 * the square of it (32 heads over 2048 tokens: 0.5 GB).
 */
const MAX_DEFAULT_TEXT = 2048

export interface LlamaEmbedder {
  readonly embed: Embedder
  /** Tokens of the longest text. */
  readonly contextLength: number
  close(): Promise<void>
}

/**
 * Embeddings by llama.cpp, in a context of their own beside that of answers. The file says how the vectors of its tokens
 * become one (mean, first, last); a model that was not made for embeddings says nothing, and that of its last token is
 * taken. Texts are evaluated one after the other; an abort is seen between two.
 */
export async function createLlamaEmbedder(
  model: LlamaModel,
  options: { readonly contextLength?: number; readonly threads: number; readonly clock: Clock; readonly name: string },
): Promise<LlamaEmbedder> {
  const { clock, name, threads } = options
  const { contextLength = Math.min(model.trainContextSize, MAX_DEFAULT_TEXT) } = options
  // One more than is used: the library refuses a text that fills its context.
  const size = contextLength + 1
  const context = await model.createEmbeddingContext({ contextSize: size, batchSize: size, threads })
  let closed = false
  /** Settles when no evaluation is in progress: a context that is freed under one never resolves. */
  let evaluating: Promise<unknown> = Promise.resolve()

  const vectorOf = async (text: string, signal: AbortSignal): Promise<readonly number[]> => {
    signal.throwIfAborted()
    try {
      // An evaluation is not cut when its caller leaves: the next call waits for its end.
      const evaluation = context.getEmbeddingFor(text)
      evaluating = Promise.allSettled([evaluating, evaluation])
      return (await raceSignal(evaluation, signal)).vector
    } catch (error) {
      if (signal.aborted || isAbortError(error) || isModelNetError(error)) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new ModelNetError('ENGINE_FAILED', `llama.cpp failed: ${reason}`, { cause: error })
    }
  }

  return {
    contextLength,
    async embed(request, call = {}) {
      call.signal?.throwIfAborted()
      if (closed) throw new ModelNetError('ENGINE_FAILED', `model ${name} was unloaded`)
      checkTexts(request)
      const { texts } = request
      const deadline = startDeadline(clock, call)
      try {
        const promptTokens = countTokens(context, texts, contextLength)
        const embeddings: (readonly number[])[] = []
        for (const text of texts) embeddings.push(toUnitLength(await vectorOf(text, deadline.signal)))
        return { embeddings, promptTokens }
      } finally {
        deadline.dispose()
      }
    },
    async close() {
      if (closed) return
      closed = true
      await evaluating
      await context.dispose()
    },
  }
}

/** Of all texts together. Throws CONTEXT_OVERFLOW for one that does not fit, before any is evaluated. */
function countTokens(context: LlamaEmbeddingContext, texts: readonly string[], most: number): number {
  return texts.reduce((sum, text) => {
    const tokens = context.calculateInputLength(text)
    if (tokens > most) throw contextOverflow(tokens, most)
    return sum + tokens
  }, 0)
}
