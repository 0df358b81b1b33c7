import type { NetworkEmbedder } from '../../interaction/index.ts'
import type { Question, TextRouter } from '../../service/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { isAbortError, ModelNetError, toModelNetError } from '../../utils/errors.ts'

/** A question as a router reads it. */
export interface ReadQuestion {
  /** The trained router, or the one by words that stands in for it. */
  readonly router: TextRouter
  readonly question: Question
  /** Why words had to do. */
  readonly note?: string
}

export interface QuestionReader {
  /** Asks the encoder of the router for the vector of a question, once per text and no longer than its time. */
  read(text: string, signal?: AbortSignal): Promise<ReadQuestion>
  /** The same without asking anybody: by the vector that is known, else by words. */
  recall(text: string): ReadQuestion
}

export interface QuestionReaderOptions {
  /** Milliseconds a decision waits for the vector of its question. @default 250 */
  readonly timeoutMs?: number
  /** Milliseconds for which an encoder that was late or failed is not asked again. @default 10000 */
  readonly restMs?: number
}

/** Vectors kept: 1000 of 1024 numbers take 8 MB. */
const KEPT_VECTORS = 1000

/** Throws INVALID_CONFIG for a router that reads vectors and has none by words to fall back on. */
export function createQuestionReader(
  { router, embed, clock }: { readonly router: TextRouter; readonly embed: NetworkEmbedder; readonly clock: Clock },
  options: QuestionReaderOptions = {},
): QuestionReader {
  const { timeoutMs = 250, restMs = 10_000 } = options
  const { encoder, words = router } = router
  if (encoder !== undefined && words === router)
    throw new ModelNetError('INVALID_CONFIG', `the router reads vectors of ${encoder} and has none by words beside it`)
  const vectors = new Map<string, readonly number[]>()
  let failure: { readonly until: number; readonly reason: string } | undefined

  const recall = (text: string): ReadQuestion => {
    const vector = vectors.get(text)
    return vector ? { router, question: vector } : { router: words, question: text }
  }
  const byWords = (text: string, reason: string): ReadQuestion => ({
    router: words,
    question: text,
    note: `chosen by words, as the encoder ${encoder} ${reason}`,
  })

  return {
    recall,
    async read(text, signal) {
      if (encoder === undefined || vectors.has(text)) return recall(text)
      if (failure && clock.monotonic() < failure.until) return byWords(text, failure.reason)
      failure = undefined
      try {
        const { embeddings } = await embed(encoder, [text], { deadlineMs: timeoutMs, ...(signal && { signal }) })
        const [vector] = embeddings
        if (!vector) throw new ModelNetError('PROTOCOL_ERROR', 'no vector came')
        router.estimate(vector) // refuses one that it was not trained for
        vectors.set(text, vector)
        const [oldest] = vectors.keys()
        if (vectors.size > KEPT_VECTORS && oldest !== undefined) vectors.delete(oldest)
        return recall(text)
      } catch (error) {
        if (isAbortError(error) || signal?.aborted) throw error
        const { code, message } = toModelNetError(error)
        const late = code === 'DEADLINE_EXCEEDED'
        const reason = late ? `did not answer within ${timeoutMs} ms` : `cannot be asked (${message})`
        // A text that does not fit says nothing of the next one.
        if (code !== 'CONTEXT_OVERFLOW') failure = { until: clock.monotonic() + restMs, reason }
        return byWords(text, reason)
      }
    },
  }
}
