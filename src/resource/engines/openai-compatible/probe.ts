import type { TokenDistribution } from '../../../protocol/index.ts'
import type { Clock } from '../../../utils/clock.ts'
import { withDeadline } from '../../../utils/deadline.ts'
import { isAbortError } from '../../../utils/errors.ts'
import type { HttpClient } from '../../http-client.ts'
import { createContinuation, MOST_TOP_LOGPROBS } from './continuation.ts'
import type { ListedModel } from './protocol.ts'

/** Alternatives tried: OpenAI's limit, and what older endpoints allow. */
const TOPS = [MOST_TOP_LOGPROBS, 5]
/** Questions tried: the answer to one must have a first token of text. */
const QUESTIONS = ['Count from one to five.', 'hello']
const DEADLINE_MS = 20_000
/** Total variation between what should be one distribution: other batches and caches round otherwise. */
const TOLERANCE = 0.1

export interface ContinuingModel {
  /** Alternatives it reports per token. */
  readonly top: number
  /** Its answers begin with hidden reasoning. */
  readonly thinks: boolean
}

/**
 * Whether an endpoint continues a text that is not its own, and reports alternatives; undefined when it reports none or
 * begins anew instead, as many do. Seen, not believed: the second token of an answer must be as probable when the first
 * is given back as a prefix. Costs two or three requests of a few tokens. Rejects with the signal's reason only.
 */
export async function probeContinuation(
  http: HttpClient,
  model: ListedModel,
  clock: Clock,
  signal?: AbortSignal,
): Promise<ContinuingModel | undefined> {
  for (const top of TOPS) {
    try {
      return await withDeadline(clock, { signal, deadlineMs: DEADLINE_MS }, inTime => probe(http, model, top, inTime))
    } catch (error) {
      signal?.throwIfAborted()
      if (isAbortError(error)) throw error
      // Too many alternatives are refused by some with 400; whoever offers none refuses the next as well.
    }
  }
  return undefined
}

async function probe(
  http: HttpClient,
  model: ListedModel,
  top: number,
  signal: AbortSignal,
): Promise<ContinuingModel | undefined> {
  for (const content of QUESTIONS) {
    const go = createContinuation({ http, model, messages: [{ role: 'user', content }], top })
    const { steps, reasoned } = await go('', 2, signal)
    const [first, second] = steps
    const text = first && new TextDecoder().decode(first.chosen)
    if (!text || !second || text.includes('\ufffd')) continue // ended at once, or began with half a character
    const again = (await go(text, 1, signal)).steps[0]
    if (!again || distance(second.distribution, again.distribution) >= TOLERANCE) return undefined
    const begun = `${text}${new TextDecoder().decode(second.chosen)}`.trimStart()
    return {
      top,
      thinks: reasoned || (begun.length > 1 && (begun.startsWith('<think>') || '<think>'.startsWith(begun))),
    }
  }
  return undefined
}

/** Total variation over the reported candidates and the end. */
function distance(one: TokenDistribution, other: TokenDistribution): number {
  const difference = new Map<string, number>([['', Math.exp(one.end) - Math.exp(other.end)]])
  for (const [sign, { candidates }] of [
    [1, one],
    [-1, other],
  ] as const)
    for (const { bytes, logprob } of candidates) {
      const key = bytes.join()
      difference.set(key, (difference.get(key) ?? 0) + sign * Math.exp(logprob))
    }
  return [...difference.values()].reduce((sum, value) => sum + Math.abs(value), 0) / 2
}
