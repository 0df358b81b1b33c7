import type {
  DecodeResult,
  DecodeStep,
  Distribution,
  DistributionKind,
  Draft,
  Embedding,
  EmbedRequest,
  EmbedResult,
  GeneratePart,
  GenerateRequest,
  ModelCard,
  Score,
  ScoreRequest,
} from '../protocol/index.ts'

export interface CallOptions {
  /** One signal per request, from the client to the engine. */
  readonly signal?: AbortSignal
  /** Milliseconds left for this call; carried over the wire. */
  readonly deadlineMs?: number
}

export interface OpenOptions extends CallOptions {
  /** @default { kind: 'bytes' } when the model can, else the 20 best tokens */
  readonly distribution?: DistributionKind
}

/**
 * Everything that can be asked: a local engine's model, a model on a peer, several candidates with failover, a whole
 * pathway, and the network itself. So strategies know nothing of networks or failures.
 */
export interface LanguageModel {
  readonly card: ModelCard
  /**
   * Streams an answer; the last part is `finish`. Stopping to read cancels the work. UNSUPPORTED if the card does not say
   * `generate`.
   */
  generate(request: GenerateRequest, options?: CallOptions): AsyncIterable<GeneratePart>
  /** Starts a joint-decoding session after the prompt. Present if the card says `tokens` or `bytes`. */
  open?(request: GenerateRequest, options?: OpenOptions): Promise<DecodeSession>
  /** Present if the card says `score`. */
  score?(request: ScoreRequest, options?: CallOptions): Promise<Score>
  /** Present if the card says `embed`. */
  embed?(request: EmbedRequest, options?: CallOptions): Promise<EmbedResult>
}

/**
 * A model in the middle of a text, for collaboration at token or byte level. The state (KV cache) is kept between
 * steps: a step evaluates new text only, however long the prompt. Calls are made one after another. `step` is the one
 * primitive, so that a commit and what is asked after it travel together; the others are written with it.
 */
export interface DecodeSession {
  readonly distribution: DistributionKind
  /** Commits, then answers: one round trip. */
  step(step: DecodeStep, options?: CallOptions): Promise<DecodeResult>
  /** The distribution after the committed text. */
  next(options?: CallOptions): Promise<Distribution>
  /**
   * The distributions after 0, 1, … n bytes of a proposed continuation (or at the given offsets); nothing is committed.
   * Rejects with CONTEXT_OVERFLOW where not all have room.
   */
  peek(bytes: Uint8Array, at?: readonly number[], options?: CallOptions): Promise<readonly Distribution[]>
  commit(bytes: Uint8Array, options?: CallOptions): Promise<void>
  /** The model's own greedy continuation of at most `maxBytes`; nothing is committed. */
  draft(maxBytes: number, options?: CallOptions): Promise<Draft>
  /** Frees the state. May be called twice. */
  close(): Promise<void>
}

export type {
  DecodeResult,
  DecodeStep,
  Distribution,
  DistributionKind,
  Draft,
  Embedding,
  EmbedRequest,
  EmbedResult,
  GeneratePart,
  GenerateRequest,
  ModelCard,
  Score,
  ScoreRequest,
}
