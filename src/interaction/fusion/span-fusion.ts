import type { Distribution, Draft } from '../../protocol/index.ts'
import { END } from '../../protocol/index.ts'
import type { CallOptions, DecodeSession } from '../../resource/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { FusedMember } from './seat.ts'

export interface SpanFusionOptions {
  /** Bytes a member drafts per span; cut back to the last word boundary. @default 48 */
  readonly spanBytes?: number
  /** A span counts as at least so long when scores per byte are taken: short boilerplate must not win. @default 8 */
  readonly floorBytes?: number
  /** Rate of the Hedge weights (SpecEM); 0 keeps the weights. @default 1 */
  readonly rate?: number
  readonly maxBytes?: number
  /** Spans chosen before: the rate falls with each. @default 0 */
  readonly rounds?: number
  readonly signal?: AbortSignal
}

export interface Span {
  readonly text: Uint8Array
  /** Who wrote it. */
  readonly by: string
  /** The text ends with it. */
  readonly end: boolean
  /** Weights after it, in the order of the members. */
  readonly weights: readonly number[]
  /** Each candidate's mean log-probability per byte by the other members, weighted. */
  readonly scores: readonly number[]
}

/**
 * Span fusion (Cool-Fusion, SpecEM; spec A8 `spanFuse`): all members draft a span, all score every span, the best is
 * taken. Scores are mean log-probabilities per byte, since tokenizers differ and logits shift; nobody scores its own
 * draft, against self-preference; weights follow Hedge by how often the others prefer a member's drafts. Two round trips
 * per span, over sessions of bytes that keep their state. The sessions stay open.
 */
export async function* fuseSpans(
  members: readonly FusedMember[],
  options: SpanFusionOptions = {},
): AsyncGenerator<Span, void, undefined> {
  const { spanBytes = 48, floorBytes = 8, rate = 1, maxBytes = 4096, rounds = 0, signal } = options
  const call: CallOptions = signal ? { signal } : {}
  if (members.length === 0 || members.some(({ session }) => session.distribution.kind !== 'bytes'))
    throw new ModelNetError('INVALID_REQUEST', 'span fusion needs members, with sessions of bytes')
  let weights = normalised(members.map(({ weight }) => weight))
  for (let written = 0, round = rounds + 1; written < maxBytes; round++) {
    const limit = Math.min(spanBytes, maxBytes - written)
    const drafts = await Promise.all(members.map(async ({ session }) => trim(await session.draft(limit, call), limit)))
    const candidates = distinct(drafts)
    const scores = await Promise.all(members.map(({ session }) => scoreAll(session, candidates, floorBytes, call)))
    const judged = drafts.map((draft, author) => {
      const index = candidates.findIndex(candidate => same(candidate, draft))
      const judges = members.map((_, judge) => judge).filter(judge => judge !== author || members.length === 1)
      const total = judges.reduce((sum, judge) => sum + (weights[judge] ?? 0), 0)
      // Judges without any weight judge alike.
      const share = (judge: number): number => (total > 0 ? (weights[judge] ?? 0) / total : 1 / judges.length)
      return judges.reduce((sum, judge) => sum + share(judge) * (scores[judge]?.[index] ?? 0), 0)
    })
    const winner = judged.indexOf(Math.max(...judged))
    const chosen = drafts[winner]
    if (!chosen) return
    weights = hedge(weights, judged, (rate * Math.sqrt(1 / members.length)) / round)
    yield { text: chosen.bytes, by: members[winner]?.name ?? '', end: chosen.end, weights, scores: judged }
    written += chosen.bytes.length
    if (chosen.end || chosen.bytes.length === 0) return
    await Promise.all(members.map(({ session }) => session.step({ commit: chosen.bytes }, call)))
  }
}

const same = (a: Draft, b: Draft): boolean => a.end === b.end && Buffer.compare(a.bytes, b.bytes) === 0

const distinct = (drafts: readonly Draft[]): readonly Draft[] =>
  drafts.filter((draft, index) => drafts.findIndex(other => same(other, draft)) === index)

/** Back to the last word boundary, where there is one, unless the text ends here. */
function trim(draft: Draft, limit: number): Draft {
  if (draft.end || draft.bytes.length < limit) return draft
  const boundary = draft.bytes.findLastIndex((byte, index) => index > 0 && (byte === 0x20 || byte === 0x0a))
  return boundary > 0 ? { bytes: draft.bytes.subarray(0, boundary), end: false } : draft
}

/** Mean log-probability per byte of each candidate; the end counts as a byte. */
async function scoreAll(
  session: DecodeSession,
  candidates: readonly Draft[],
  floorBytes: number,
  call: CallOptions,
): Promise<readonly number[]> {
  const scores: number[] = []
  for (const { bytes, end } of candidates) {
    const ahead = await session.peek(bytes, undefined, call)
    const symbols = end ? [...bytes, END] : [...bytes]
    const total = symbols.reduce((sum, symbol, at) => sum + logOf(ahead[at], symbol), 0)
    scores.push(total / Math.max(symbols.length, end ? 1 : floorBytes))
  }
  return scores
}

const logOf = (distribution: Distribution | undefined, symbol: number): number =>
  Math.log(Math.max(distribution?.kind === 'bytes' ? (distribution.probabilities[symbol] ?? 0) : 0, 1e-12))

/** w_i <- w_i exp(eta r_i), r_i the share of the other candidates that its own beats. */
function hedge(weights: readonly number[], judged: readonly number[], eta: number): readonly number[] {
  const others = Math.max(1, judged.length - 1)
  return normalised(
    weights.map((weight, index) => {
      const wins = judged.filter((score, other) => other !== index && (judged[index] ?? 0) > score).length
      return weight * Math.exp((eta * wins) / others)
    }),
  )
}

function normalised(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}
