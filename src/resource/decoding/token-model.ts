/** What scores are wanted after a token: all of the vocabulary, or only the best. */
export type ScoresWanted = { readonly kind: 'full' } | { readonly kind: 'top'; readonly count: number }

/** Natural logs of the untempered, untruncated softmax, one for each token id; their exponentials sum to 1. */
export interface FullScores {
  readonly kind: 'full'
  readonly logprobs: Float64Array
}

/**
 * The `count` most probable tokens, most probable first, and every end token of the model wherever it ranks (at the
 * end of the lists if it is not among the best). Log-probabilities are relative to the whole vocabulary.
 */
export interface TopScores {
  readonly kind: 'top'
  readonly tokens: ArrayLike<number>
  readonly logprobs: ArrayLike<number>
}

export type TokenScores = FullScores | TopScores

/** Tokens to put after the kept ones, and how many of the last of them to report scores after. */
export interface TokenRun {
  /** Not empty. */
  readonly tokens: readonly number[]
  /** 1..tokens.length. 1 for the scores after the last token only. */
  readonly scored: number
}

export interface TokenEvaluation {
  /** How many of the tokens the sequence holds now stay (KV state kept); the others are rolled back. */
  readonly keep: number
  /**
   * Alternative continuations of the kept tokens, usually one. An engine may batch them or take one after another; the
   * last one is what the sequence holds afterwards.
   */
  readonly runs: readonly TokenRun[]
}

/**
 * The KV state of one text in one model. Starts empty: the first evaluation brings the prompt, so an engine may reuse
 * a prefix that it still holds from an earlier sequence. Calls are made one after another.
 */
export interface TokenSequence {
  /** Tokens held now. */
  readonly length: number
  /**
   * For each run the scores after each of its last `scored` tokens, in order. Rejects with CONTEXT_OVERFLOW when
   * `keep` plus a run is longer than the context, with ENGINE_FAILED otherwise. A rejected evaluation may leave any
   * number of tokens: `length` tells.
   */
  evaluate(evaluation: TokenEvaluation, signal?: AbortSignal): Promise<readonly (readonly TokenScores[])[]>
  /** Frees the sequence. May be called twice. */
  close(): Promise<void>
}

/**
 * What an engine with access to its own weights gives, so that decode sessions (token candidates and exact byte
 * distributions) can be made over it: `createTokenSession(model, promptTokens, distribution)`.
 */
export interface TokenModel {
  /**
   * The bytes of each token id; null for what is not text (control, unused, end tokens). The same array for the life of
   * the model: tables are built once for it.
   */
  readonly vocabulary: readonly (Uint8Array | null)[]
  /** Tokens that end an answer, of the model's metadata. */
  readonly endTokens: ReadonlySet<number>
  /** Tokens one sequence can hold. */
  readonly contextLength: number
  /**
   * Tokens of a text in the middle of an answer: no BOS, no dummy space, control tokens never recognised. Bytes need not
   * be whole UTF-8 characters; a model that cannot spell some byte throws UNSUPPORTED.
   */
  tokenize(bytes: Uint8Array): readonly number[]
  /** All evaluations of the sequence report these scores. Rejects with OVERLOADED when no sequence is free. */
  openSequence(options: { readonly scores: ScoresWanted; readonly signal?: AbortSignal }): Promise<TokenSequence>
}
