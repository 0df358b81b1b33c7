import type { DecodeResult, DecodeStep, Distribution, Draft } from '../../protocol/index.ts'
import { END } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { CallOptions } from '../language-model.ts'
import {
  type BeamState,
  type ByteScores,
  byteDistribution,
  type Ending,
  endingsOf,
  narrow,
  normalised,
  pendingBytes,
  toByteScores,
  totalWeight,
} from './byte-beam.ts'
import { type ByteTrie, byteTrie, childOf } from './byte-trie.ts'
import { ancestorAt, ContextTree, type EvaluationCounts } from './context-tree.ts'
import { spell } from './spelling.ts'
import { asFarAsItGoes, concatBytes, offsetsOf, SteppedSession, untilFull } from './stepped-session.ts'
import type { TokenModel, TokenScores, TokenSequence } from './token-model.ts'

export interface ByteOptions {
  /** Readings of the text kept. @default 8 */
  readonly width?: number
  /**
   * Share of the readings that may be left out at one byte to save evaluations; 0 with an infinite width is exact. With a
   * finite width, readings that parted 16 tokens ago are left out as well.
   * @default 1e-3
   */
  readonly tolerance?: number
}

export interface ByteCounts extends EvaluationCounts {
  /** Times the model could not read a byte in any way and began anew after it. */
  readonly healed: number
}

/**
 * Tokens by which readings may differ. On a text that is foreign to the model, readings that parted long ago stay equally
 * likely, and each byte would have every one of them evaluated anew from where they parted.
 */
const MAX_APART = 16

/** Below this probability of a committed byte, readings that were left out for economy are evaluated after all. */
const SURPRISE = 1e-4

/** The readings at one position of the text; what was worked out about them stays. */
interface Position {
  readonly states: readonly BeamState[]
  /** With the heavy endings, evaluated. */
  expanded?: readonly BeamState[]
  /** Endings left out. */
  skipped?: readonly Ending[]
  probabilities?: Float64Array
}

/**
 * A decode session of exact next-byte distributions by a covering beam over tokenisations (genlm's semantics,
 * re-derived: each state is a token context and a byte prefix of the next token). What was worked out for a proposal or
 * a draft is kept and found again when its bytes are committed.
 */
export class ByteSession extends SteppedSession {
  readonly #model: TokenModel
  readonly #sequence: TokenSequence
  readonly #trie: ByteTrie
  readonly #tree: ContextTree<ByteScores>
  readonly #width: number
  readonly #tolerance: number
  #here: Position
  /** Positions after each byte of the last proposal, from the committed text on. */
  #ahead: { readonly bytes: Uint8Array; readonly positions: readonly Position[] } = NOTHING
  #healed = 0

  constructor(model: TokenModel, sequence: TokenSequence, prompt: readonly number[], options: ByteOptions = {}) {
    super({ kind: 'bytes' })
    const { width = 8, tolerance = 1e-3 } = options
    this.#model = model
    this.#sequence = sequence
    this.#trie = byteTrie(model)
    this.#width = width
    this.#tolerance = tolerance
    this.#tree = new ContextTree(sequence, prompt, scores => toByteScores(this.#trie, model, full(scores)))
    this.#here = { states: [{ context: this.#tree.root, node: 0, weight: 1 }] }
  }

  get counts(): ByteCounts {
    return { ...this.#tree.counts, healed: this.#healed }
  }

  protected async run(step: DecodeStep, { signal }: CallOptions): Promise<DecodeResult> {
    if (step.commit && step.commit.length > 0) {
      const positions: Position[] = []
      await this.#walk(step.commit, signal, positions)
      this.#advance(step.commit, positions)
    }
    const distributions: Distribution[] = []
    if (step.next) distributions.push(await this.#distribution(this.#here, signal))
    if (step.peek) {
      const positions: Position[] = []
      await untilFull(() => this.#walk(step.peek ?? NOTHING.bytes, signal, positions))
      this.#ahead = { bytes: step.peek.subarray(0, positions.length), positions }
      const at = [this.#here, ...positions]
      distributions.push(
        ...(await asFarAsItGoes(
          offsetsOf(step),
          offset => at[offset],
          one => this.#distribution(one, signal),
        )),
      )
    }
    const draft = step.draft ? await this.#draft(step.draft, signal) : undefined
    return { ...(distributions.length > 0 && { distributions }), ...(draft && { draft }) }
  }

  protected free(): Promise<void> {
    return this.#sequence.close()
  }

  /** Adds the positions after each of the bytes, from the committed text on. */
  async #walk(bytes: Uint8Array, signal: AbortSignal | undefined, positions: Position[]): Promise<void> {
    const known = commonLength(bytes, this.#ahead.bytes)
    positions.push(...this.#ahead.positions.slice(0, known))
    let at = positions.at(-1) ?? this.#here
    if (bytes.length - known > 1) await untilFull(() => this.#prefetch(at, bytes.subarray(known), signal))
    for (const byte of bytes.subarray(known)) {
      at = await this.#push(at, byte, signal)
      positions.push(at)
    }
  }

  #advance(bytes: Uint8Array, positions: readonly Position[]): void {
    const here = positions.at(-1)
    if (!here) return
    const still = commonLength(bytes, this.#ahead.bytes) === bytes.length
    this.#ahead = still
      ? { bytes: this.#ahead.bytes.subarray(bytes.length), positions: this.#ahead.positions.slice(bytes.length) }
      : NOTHING
    this.#here = here
    this.#tree.prune(here.states.map(({ context }) => context))
  }

  /** Evaluates the model's own tokens of the bytes in one run, so that the walk finds their scores. */
  async #prefetch({ states }: Position, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const heaviest = states[0]
    if (!heaviest) return
    const tokens = this.#tokens(concatBytes(pendingBytes(this.#trie, heaviest), bytes))
    if (tokens && tokens.length > 1) await this.#tree.evaluate([this.#tree.descend(heaviest.context, tokens)], signal)
  }

  async #draft(maxBytes: number, signal?: AbortSignal): Promise<Draft> {
    const bytes: number[] = []
    const positions: Position[] = []
    let at = this.#here
    let end = false
    const { full: isFull } = await untilFull(async () => {
      while (bytes.length < maxBytes && !end) {
        const { probabilities } = await this.#distribution(at, signal)
        let best = END
        for (let byte = 0; byte < END; byte++) if ((probabilities[byte] ?? 0) > (probabilities[best] ?? 0)) best = byte
        end = best === END
        if (end) break
        at = await this.#push(at, best, signal)
        bytes.push(best)
        positions.push(at)
      }
    })
    if (isFull) {
      bytes.pop()
      positions.pop()
    }
    this.#ahead = { bytes: Uint8Array.from(bytes), positions }
    return { bytes: this.#ahead.bytes, end }
  }

  async #distribution(
    position: Position,
    signal?: AbortSignal,
  ): Promise<{ readonly kind: 'bytes'; readonly probabilities: Float64Array }> {
    position.probabilities ??= byteDistribution(this.#trie, await this.#expand(position, signal))
    return { kind: 'bytes', probabilities: position.probabilities.slice() }
  }

  /** Adds the endings, leaving out the lightest as long as together they weigh no more than the tolerance. */
  async #expand(position: Position, signal?: AbortSignal): Promise<readonly BeamState[]> {
    if (position.expanded) return position.expanded
    const endings = endingsOf(this.#trie, position.states, (context, token) => this.#tree.child(context, token))
    let skip = 0
    for (let sum = 0; skip < endings.length; skip++) {
      sum += endings[skip]?.weight ?? 0
      if (sum > this.#tolerance) break
    }
    const kept = endings.slice(skip)
    const contexts = (position.states[0]?.node === 0 ? position.states : []).concat(kept).map(({ context }) => context)
    await this.#tree.evaluate(contexts, signal)
    position.skipped = endings.slice(0, skip)
    position.expanded = [...position.states, ...kept]
    return position.expanded
  }

  async #push(position: Position, byte: number, signal?: AbortSignal): Promise<Position> {
    const expanded = await this.#expand(position, signal)
    let states = narrow(this.#trie, expanded, byte, this.#width)
    const { skipped = [] } = position
    if (skipped.length > 0 && totalWeight(states) < SURPRISE) {
      const considered = skipped.slice(-this.#width)
      await this.#tree.evaluate(
        considered.map(({ context }) => context),
        signal,
      )
      states = narrow(this.#trie, [...expanded, ...considered], byte, this.#width)
    }
    if (states.length === 0) return this.#heal(position, byte, signal)
    return { states: normalised(this.#together(states)) }
  }

  /** Those that parted from the heaviest no longer ago than a beam of this width can afford. */
  #together(states: readonly BeamState[]): readonly BeamState[] {
    const [heaviest] = states
    if (!heaviest || states.length === 1 || this.#width === Number.POSITIVE_INFINITY) return states
    const depth = heaviest.context.depth - MAX_APART
    if (depth <= this.#tree.root.depth) return states
    const origin = ancestorAt(heaviest.context, depth)
    return states.filter(({ context }) => ancestorAt(context, depth) === origin)
  }

  /** No reading goes on with this byte: the token in progress is spelled out, and the byte begins a new one if it can. */
  async #heal({ states }: Position, byte: number, signal?: AbortSignal): Promise<Position> {
    this.#healed++
    const heaviest = states[0]
    if (!heaviest) throw new ModelNetError('INTERNAL', 'a beam without readings')
    const pending = this.#tokens(pendingBytes(this.#trie, heaviest)) ?? []
    const context = this.#tree.descend(heaviest.context, pending)
    await this.#tree.evaluate([context], signal)
    return { states: [{ context, node: Math.max(0, childOf(this.#trie, 0, byte)), weight: 1 }] }
  }

  /** Undefined when the vocabulary cannot spell the bytes. */
  #tokens(bytes: Uint8Array): readonly number[] | undefined {
    try {
      return spell(this.#model, bytes)
    } catch (error) {
      if (error instanceof ModelNetError && error.code === 'UNSUPPORTED') return undefined
      throw error
    }
  }
}

const NOTHING = { bytes: new Uint8Array(), positions: [] }

function commonLength(one: Uint8Array, other: Uint8Array): number {
  const limit = Math.min(one.length, other.length)
  let length = 0
  while (length < limit && one[length] === other[length]) length++
  return length
}

function full(scores: TokenScores): Extract<TokenScores, { kind: 'full' }> {
  if (scores.kind !== 'full') throw new ModelNetError('ENGINE_FAILED', 'expected the scores of the whole vocabulary')
  return scores
}
