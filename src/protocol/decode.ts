import { z } from 'zod'
import { MAX_CANDIDATES, MAX_STEP_BYTES } from './limits.ts'

/** Index of the end of the text in a byte distribution. */
export const END = 256

/** The exact distribution of the next byte, over any tokenizer: 257 probabilities that sum to 1, the last is the end. */
export interface ByteDistribution {
  readonly kind: 'bytes'
  readonly probabilities: Float64Array
}

export interface Candidate {
  /** The token as bytes, never a cleaned string: half a UTF-8 character is a legal token. */
  readonly bytes: Uint8Array
  /** Natural log of the untempered, untruncated softmax. */
  readonly logprob: number
}

/** The k most probable next tokens, most probable first; the mass of the others is stated, not hidden. */
export interface TokenDistribution {
  readonly kind: 'tokens'
  readonly candidates: readonly Candidate[]
  /** Log-probability that the text ends here; -Infinity when it is not among the reported. */
  readonly end: number
  /** Probability mass of what is not reported, 0..1. */
  readonly residual: number
}

export type Distribution = ByteDistribution | TokenDistribution

/** Which distribution a session reports. `top` is the number of token candidates. */
export type DistributionKind = { readonly kind: 'bytes' } | { readonly kind: 'tokens'; readonly top: number }

/**
 * One step of a decode session in one message: commit bytes, then answer what is asked after them. `peek` asks for the
 * distributions after 0, 1, … n bytes of a proposed continuation (or only at the offsets in `at`), which is not
 * committed. `draft` asks for a greedy continuation of at most so many bytes, which is not committed either.
 */
export interface DecodeStep {
  readonly commit?: Uint8Array
  readonly next?: true
  readonly peek?: Uint8Array
  readonly at?: readonly number[]
  readonly draft?: number
}

export interface Draft {
  readonly bytes: Uint8Array
  /** The model would end its text after the bytes. */
  readonly end: boolean
  /** Offsets where the model's own tokens end; reported by sessions of token candidates. */
  readonly ends?: readonly number[]
}

export interface DecodeResult {
  /**
   * For `next` one distribution, for `peek` one for each offset, or for the first of them where the context has no room
   * for more: at least one.
   */
  readonly distributions?: readonly Distribution[]
  readonly draft?: Draft
}

const bytes = z.custom<Uint8Array>(
  value => value instanceof Uint8Array && value.length <= MAX_STEP_BYTES,
  `expected a byte string of at most ${MAX_STEP_BYTES} bytes`,
)

export const DistributionKindSchema: z.ZodType<DistributionKind> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('bytes') }),
  z.object({ kind: z.literal('tokens'), top: z.int().min(1).max(MAX_CANDIDATES) }),
])

export const DecodeStepSchema: z.ZodType<DecodeStep> = z.object({
  commit: bytes.exactOptional(),
  next: z.literal(true).exactOptional(),
  peek: bytes.exactOptional(),
  at: z.array(z.int().min(0).max(MAX_STEP_BYTES)).max(4096).exactOptional(),
  draft: z.int().min(1).max(4096).exactOptional(),
})
