import type { Candidate, DecodeResult, DecodeStep, Draft, TokenDistribution } from '../../protocol/index.ts'
import type { CallOptions } from '../language-model.ts'
import { concatBytes, offsetsOf, SteppedSession } from './stepped-session.ts'

/** What a server says of its own greedy continuation of a text, token by token. */
export interface Continuation {
  readonly steps: readonly {
    /** What it might have said here, given the text and the tokens before. */
    readonly distribution: TokenDistribution
    /** What it said; empty for the end. */
    readonly chosen: Uint8Array
  }[]
  /** It ended its text after the steps, and did not report the distribution in which it chose the end. */
  readonly ended: boolean
}

/** Continues whole text after the prompt by at least one and at most `tokens` tokens, unless it ends before. */
export type ContinueText = (text: string, tokens: number, signal?: AbortSignal) => Promise<Continuation>

/** Tokens asked for ahead: more while the text follows the server's own choice, fewer when it leaves it. */
const FIRST_AHEAD = 4
const MOST_AHEAD = 32
/** Tokens of one request for a draft or a proposal. */
const MOST_TOKENS = 64
/** Requests in flight for the offsets of one proposal that the server would not have written itself. */
const REQUESTS_AT_ONCE = 4
/** A favourite of two has at least half: all that is known where a server ends without reporting the distribution. */
const UNREPORTED_END: TokenDistribution = { kind: 'tokens', candidates: [], end: Math.log(0.5), residual: 0.5 }

/**
 * A decode session of token candidates over a server that can only continue text: each request brings the distributions
 * along the server's own continuation, which serve as long as the text follows it. Texts are told apart by their bytes;
 * half a character, which a request cannot carry, is answered from the candidates that begin with it.
 */
export class ContinuedSession extends SteppedSession {
  readonly #continue: ContinueText
  readonly #top: number
  #text: Uint8Array = new Uint8Array()
  /** Distributions by what follows the committed text, as latin1. */
  #known = new Map<string, TokenDistribution>()
  /** The last continuation, as far as the text has not used it up; undefined when the text has left it. */
  #line: string | undefined = ''
  #ahead: number = FIRST_AHEAD

  constructor(continueText: ContinueText, top: number) {
    super({ kind: 'tokens', top })
    this.#continue = continueText
    this.#top = top
  }

  protected async run(step: DecodeStep, { signal }: CallOptions): Promise<DecodeResult> {
    if (step.commit && step.commit.length > 0) this.#commit(step.commit)
    const texts = step.next ? [''] : []
    if (step.next && !this.#known.has('')) {
      if (this.#line === undefined) this.#ahead = Math.max(1, this.#ahead / 2)
      else if (this.#text.length > 0) this.#ahead = Math.min(MOST_AHEAD, this.#ahead * 2)
      await this.#ask('', this.#ahead, signal)
    }
    if (step.peek) {
      const proposal = keyOf(step.peek)
      const proposed = offsetsOf(step).map(offset => proposal.slice(0, offset))
      await this.#look(proposed, signal)
      texts.push(...proposed)
    }
    const draft = step.draft ? await this.#draft(step.draft, signal) : undefined
    return {
      ...(texts.length > 0 && { distributions: texts.map(text => this.#known.get(text) ?? UNREPORTED_END) }),
      ...(draft && { draft }),
    }
  }

  protected async free(): Promise<void> {
    this.#known.clear()
  }

  #commit(bytes: Uint8Array): void {
    const key = keyOf(bytes)
    this.#text = concatBytes(this.#text, bytes)
    const known = [...this.#known].filter(([text]) => text.startsWith(key))
    this.#known = new Map(known.map(([text, distribution]) => [text.slice(key.length), distribution]))
    this.#line = this.#line?.startsWith(key) ? this.#line.slice(key.length) : undefined
  }

  /** One request that goes on from the first unknown text, then one for each that the server did not come by. */
  async #look(texts: readonly string[], signal?: AbortSignal): Promise<void> {
    const unknown = texts.filter(text => !this.#known.has(text))
    const [first] = unknown
    if (first === undefined) return
    await this.#ask(first, Math.min(MOST_TOKENS, Math.max(unknown.length, this.#ahead)), signal)
    const left = texts.filter(text => !this.#known.has(text))
    const work = async (): Promise<void> => {
      for (let text = left.shift(); text !== undefined; text = left.shift()) await this.#ask(text, 1, signal)
    }
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, work))
  }

  async #draft(maxBytes: number, signal?: AbortSignal): Promise<Draft> {
    let text = ''
    const ends: number[] = []
    const drafted = (end: boolean): Draft => ({ bytes: bytesOf(text), end, ends })
    for (;;) {
      if (!this.#known.has(text)) await this.#ask(text, tokensFor(maxBytes - text.length), signal)
      const { candidates, end } = this.#known.get(text) ?? UNREPORTED_END
      const [best] = candidates
      if (!best || end >= best.logprob) return drafted(end > Number.NEGATIVE_INFINITY)
      if (text.length + best.bytes.length > maxBytes) return drafted(false)
      text += keyOf(best.bytes)
      ends.push(text.length)
    }
  }

  /** Learns what the server says after the committed text and `key`, and along its own continuation of both. */
  async #ask(key: string, tokens: number, signal?: AbortSignal): Promise<void> {
    const text = concatBytes(this.#text, bytesOf(key))
    const whole = text.length - unfinishedBytes(text)
    const { steps, ended } = await this.#continue(
      toText(text.subarray(0, whole)),
      whole < text.length ? 1 : tokens,
      signal,
    )
    if (whole < text.length) {
      const { distribution = UNREPORTED_END } = steps[0] ?? {}
      this.#known.set(key, after(distribution, text.subarray(whole)))
      return
    }
    let at = key
    for (const { distribution, chosen } of steps) {
      this.#known.set(at, this.#best(distribution))
      at += keyOf(chosen)
    }
    if (ended) this.#known.set(at, UNREPORTED_END)
    this.#line = at
  }

  #best(distribution: TokenDistribution): TokenDistribution {
    const { candidates, residual } = distribution
    const others = candidates.slice(this.#top).reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)
    return { ...distribution, candidates: candidates.slice(0, this.#top), residual: Math.min(1, residual + others) }
  }
}

/** A token of servers' vocabularies has three bytes and more in running text; one request too many costs more than a token. */
const tokensFor = (bytes: number): number => Math.min(MOST_TOKENS, Math.ceil(Math.max(0, bytes) / 3) + 1)

const keyOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

const bytesOf = (key: string): Uint8Array => Uint8Array.from(Buffer.from(key, 'latin1'))

/** Bytes that can never be a character are shown as U+FFFD, as every server would. */
const toText = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

/** How many bytes at the end are the beginning of a character. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const size = byte >= 0xf5 || byte < 0xc2 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return size > back ? back : 0
  }
  return 0
}

/**
 * What follows bytes with which some candidates begin: those that go on, relative to all that may. What a candidate that
 * ends with them is followed by is not known, nor whether the unreported begin with them: both stay in the residual.
 */
function after(distribution: TokenDistribution, begun: Uint8Array): TokenDistribution {
  const matching = distribution.candidates.filter(
    ({ bytes }) => Buffer.compare(bytes.subarray(0, begun.length), begun) === 0,
  )
  const total = matching.reduce((sum, { logprob }) => sum + Math.exp(logprob), distribution.residual)
  const candidates = matching
    .filter(({ bytes }) => bytes.length > begun.length)
    .map(
      ({ bytes, logprob }): Candidate => ({
        bytes: bytes.subarray(begun.length),
        logprob: Math.min(0, logprob - Math.log(total)),
      }),
    )
  const mass = candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)
  return { kind: 'tokens', candidates, end: Number.NEGATIVE_INFINITY, residual: Math.max(0, 1 - mass) }
}
