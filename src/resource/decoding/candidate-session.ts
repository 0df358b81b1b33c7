import type {
  Candidate,
  DecodeResult,
  DecodeStep,
  Distribution,
  Draft,
  TokenDistribution,
} from '../../protocol/index.ts'
import type { CallOptions } from '../language-model.ts'
import { ContextTree, type EvaluationCounts } from './context-tree.ts'
import { asFarAsItGoes, concatBytes, offsetsOf, SteppedSession, untilFull } from './stepped-session.ts'
import { TextTokens } from './text-tokens.ts'
import type { TokenModel, TokenScores, TokenSequence } from './token-model.ts'

/**
 * A decode session of token candidates: the best tokens as bytes, the end, and the mass of the rest. Whatever bytes are
 * committed, the context is the model's own tokenisation of the text (DuetNet, section "synchronise": append the text,
 * tokenise again), of which only the tokens that changed are evaluated.
 */
export class CandidateSession extends SteppedSession {
  readonly #sequence: TokenSequence
  readonly #tree: ContextTree<TokenDistribution>
  #text: TextTokens<TokenDistribution>

  constructor(model: TokenModel, sequence: TokenSequence, prompt: readonly number[], top: number) {
    super({ kind: 'tokens', top })
    this.#sequence = sequence
    this.#tree = new ContextTree(sequence, prompt, scores => toCandidates(model, scores, top))
    this.#text = new TextTokens(this.#tree, model)
  }

  get counts(): EvaluationCounts {
    return { ...this.#tree.counts }
  }

  protected async run(step: DecodeStep, { signal }: CallOptions): Promise<DecodeResult> {
    if (step.commit) {
      this.#text = this.#text.extend(step.commit)
      this.#tree.prune(this.#text.live)
    }
    const distributions: Distribution[] = step.next ? [await this.#distribution(this.#text, signal)] : []
    const { peek } = step
    if (peek) {
      const offsets = offsetsOf(step)
      const texts = new Map(offsets.map(offset => [offset, this.#text.extend(peek.subarray(0, offset))]))
      const nodes = [...texts.values()].map(text => text.node)
      await untilFull(() => this.#tree.evaluate(nodes, signal)) // all at once, where all fit
      const ask = (text: TextTokens<TokenDistribution>): Promise<Distribution> => this.#distribution(text, signal)
      distributions.push(...(await asFarAsItGoes(offsets, offset => texts.get(offset), ask)))
    }
    const draft = step.draft ? await this.#draft(step.draft, signal) : undefined
    return { ...(distributions.length > 0 && { distributions }), ...(draft && { draft }) }
  }

  protected free(): Promise<void> {
    return this.#sequence.close()
  }

  async #distribution(text: TextTokens<TokenDistribution>, signal?: AbortSignal): Promise<TokenDistribution> {
    await this.#tree.evaluate([text.node], signal)
    return scoresOf(text)
  }

  async #draft(maxBytes: number, signal?: AbortSignal): Promise<Draft> {
    const pieces: Uint8Array[] = []
    const ends: number[] = []
    let text = this.#text
    let length = 0
    let end = false
    const { full } = await untilFull(async () => {
      for (;;) {
        await this.#tree.evaluate([text.node], signal)
        const { candidates, end: ending } = scoresOf(text)
        const best = candidates[0]
        end = best !== undefined && ending >= best.logprob
        if (!best || end || length + best.bytes.length > maxBytes) return
        length += best.bytes.length
        pieces.push(best.bytes)
        ends.push(length)
        text = text.extend(best.bytes)
      }
    })
    if (full) {
      pieces.pop()
      ends.pop()
    }
    return { bytes: concatBytes(...pieces), end, ends }
  }
}

function scoresOf(text: TextTokens<TokenDistribution>): TokenDistribution {
  const { scores } = text.node
  if (!scores) throw new Error('the context was not evaluated')
  return scores
}

function toCandidates(model: TokenModel, scores: TokenScores, top: number): TokenDistribution {
  const { vocabulary, endTokens } = model
  const ids = scores.kind === 'top' ? scores.tokens : bestOf(scores.logprobs, top + endTokens.size, endTokens)
  const candidates: Candidate[] = []
  let end = 0
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index] ?? 0
    const logprob = (scores.kind === 'top' ? scores.logprobs[index] : scores.logprobs[id]) ?? Number.NEGATIVE_INFINITY
    const bytes = vocabulary[id]
    if (endTokens.has(id)) end += Math.exp(logprob)
    else if (bytes && bytes.length > 0 && candidates.length < top)
      candidates.push({ bytes, logprob: Math.min(0, logprob) })
  }
  const reported = candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), end)
  return { kind: 'tokens', candidates, end: Math.min(0, Math.log(end)), residual: Math.max(0, 1 - reported) }
}

/** Ids of the `count` largest, largest first, and those always reported. */
function bestOf(logprobs: Float64Array, count: number, always: ReadonlySet<number>): readonly number[] {
  const ids = Array.from(logprobs.keys()).sort((a, b) => (logprobs[b] ?? 0) - (logprobs[a] ?? 0))
  return [...new Set([...ids.slice(0, count), ...always])]
}
