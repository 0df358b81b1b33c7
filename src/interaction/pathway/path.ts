import type { FinishReason, Usage } from '../../protocol/index.ts'
import type { DecodeSession, LanguageModel } from '../../resource/index.ts'
import type { Analysis, Candidate, CapabilityMap, Matcher, Task } from '../../service/index.ts'
import type { Clock } from '../../utils/clock.ts'
import type { Logger } from '../../utils/logger.ts'
import type { Random } from '../../utils/random.ts'
import type { Ledger } from './ledger.ts'

/** One answer on the board. */
export interface Answer {
  /** The whole text, without hidden reasoning. */
  readonly text: string
  /** `model@node`, or the name of the rule that made it. */
  readonly by: string
  /** All tokens spent on it, helpers included. */
  readonly usage: Usage
  /** 0..1 where the maker can say. */
  readonly confidence?: number
  /** Weight of its maker in a vote; rules renormalise. @default what the capability map says of `by` */
  readonly weight?: number
  /** `length` when it was cut off. @default 'stop' */
  readonly finish?: FinishReason
  /** True when its maker read text of other models: it may carry their instructions (taint of F4). */
  readonly tainted?: boolean
  /** True when the pathway decided not to answer; the text says so. */
  readonly abstained?: boolean
}

/** What flows through a pathway: the task and the answers so far. Never changed in place. */
export interface Board {
  readonly task: Task
  readonly analysis: Analysis
  readonly answers: readonly Answer[]
  /** Results of named subtasks, for `plan`. */
  readonly notes: Readonly<Record<string, string>>
}

/**
 * What a pathway tells while it runs. `delta` of the outermost last stage is the user's text; the others are trace.
 * Noun-verb, as everywhere.
 */
export type PathwayEvent =
  | {
      /** The first event: what will run, why, and what it costs at most. */
      readonly type: 'pathway-start'
      /** Text form. */
      readonly pathway: string
      readonly why: string
      readonly bound: Bound
    }
  | {
      readonly type: 'call-start'
      readonly call: string
      readonly model: string
      readonly node: string
      readonly why: string
    }
  | { readonly type: 'call-delta'; readonly call: string; readonly text: string; readonly final: boolean }
  | {
      readonly type: 'call-end'
      readonly call: string
      /** Who answered in the end: another than at the start after a failover. */
      readonly model: string
      readonly node: string
      readonly ms: number
      /** Until the first part. */
      readonly firstMs?: number
      readonly cost: number
      /** Part of a joint text that is its own choice, 0..1; absent for a text of one model. */
      readonly share?: number
      readonly answer: Answer
    }
  | {
      readonly type: 'call-fail'
      readonly call: string
      readonly code: string
      readonly message: string
      readonly ms: number
      /** It did not fail but was told to stop, as enough answers were there. */
      readonly stopped?: boolean
      /** What it had written until then. */
      readonly text?: string
    }
  | { readonly type: 'text-delta'; readonly text: string }
  /** What was streamed is void and what follows replaces it; a stream that cannot take text back ends with an error. */
  | { readonly type: 'text-reset'; readonly why: string }
  | {
      readonly type: 'note'
      readonly stage: string
      readonly message: string
      readonly facts?: Readonly<Record<string, unknown>>
    }

/** Worst case of a term, known before anything runs. */
export interface Bound {
  readonly calls: number
  /** Calls that wait for one another. */
  readonly depth: number
  /** Completion tokens, all calls together; Infinity when nothing limits them. */
  readonly tokens: number
  /** What models of this term must be able to do, by reference. */
  readonly needs: readonly { readonly reference: string; readonly capability: string }[]
  /** Answers that leave the term. */
  readonly answers: number
}

/** What a bound is computed for. */
export interface BoundGiven {
  /** Answers that arrive on the board. @default 0 */
  readonly answers?: number
  /** Completion tokens of one call where the term does not say. @default Infinity */
  readonly maxTokens?: number
}

/** What a running pathway may use. A path hands a narrowed copy to its parts. */
export interface PathwayContext {
  readonly matcher: Matcher
  readonly abilities: CapabilityMap
  readonly clock: Clock
  /** Depends on the seed of the request and on `scope` alone, so the same seed gives the same trace. */
  readonly random: Random
  /** Cancels this part; chained to the request's. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /** What may still be spent; every call goes through it. */
  readonly ledger: Ledger
  readonly failover: Failover
  /** Where in the term this part stands, such as `0.2.1`: the id of calls, and the label of random forks. */
  readonly scope: string
  /** True when the text of this part is what the user reads: it streams as `text-delta`. */
  readonly visible: boolean
  /** Answers of earlier requests, for `cached`. */
  readonly cache: AnswerCache
  /** Calls of a recorded run by scope: what was answered then is answered again, and nobody is asked. */
  readonly recorded?: ReadonlyMap<string, RecordedCall>
}

/** One call as a trace keeps it. */
export type RecordedCall =
  | {
      readonly answer: Answer
      readonly model: string
      readonly node: string
      readonly ms: number
      readonly cost: number
    }
  | {
      readonly code: string
      readonly message: string
      readonly ms: number
      readonly stopped?: boolean
      readonly text?: string
    }

/** Several candidates as one model that survives the loss of any of them; `onSwitch` is told who takes over. */
export type Failover = (
  candidates: readonly Candidate[],
  onSwitch: (event: { readonly from: string; readonly to: string | undefined; readonly code: string }) => void,
) => LanguageModel

export interface AnswerCache {
  get(key: string): Answer | undefined
  set(key: string, answer: Answer, ttlMs: number): void
}

/** A map from board to board: every way in which models answer, alone or together, is one. */
export interface Path {
  readonly kind: string
  bound(given?: BoundGiven): Bound
  run(board: Board, context: PathwayContext): AsyncGenerator<PathwayEvent, Board>
}

/** A source of next-token or next-byte distributions: one model, or a fusion of several. */
export interface Decoder {
  readonly kind: string
  bound(given?: BoundGiven): Bound
  open(board: Board, context: PathwayContext): Promise<DecodeSession>
}
