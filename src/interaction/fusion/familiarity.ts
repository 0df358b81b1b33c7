import type { ChatMessage } from '../../protocol/index.ts'
import type { LanguageModel } from '../../resource/index.ts'

/** The end of a long question is enough to tell whether a model knows its kind, and bounds what asking costs. */
const MOST_CHARACTERS = 1000
/** A member that takes longer to say is judged without. */
const DEADLINE_MS = 1000

/**
 * How familiar a model finds a question: the log-probability it gives the text of the last user message, per byte.
 * Undefined for a model that cannot score, fails, or does not answer in time. Rejects only with the signal's reason.
 */
export async function promptLogprob(
  model: LanguageModel,
  messages: readonly ChatMessage[],
  signal?: AbortSignal,
): Promise<number | undefined> {
  const text = messages.findLast(({ role }) => role === 'user')?.content.slice(-MOST_CHARACTERS)
  if (!text || !model.score) return undefined
  try {
    const request = { messages: [{ role: 'user' as const, content: '' }], text }
    const { logprob, bytes } = await model.score(request, { deadlineMs: DEADLINE_MS, ...(signal && { signal }) })
    return bytes > 0 && Number.isFinite(logprob) ? logprob / bytes : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}
