import type { Usage } from '../../protocol/index.ts'
import type { DecodeSession } from '../../resource/index.ts'
import type { Analysis, CapabilityMap, Matcher, Task } from '../../service/index.ts'
import type { Clock } from '../../utils/clock.ts'
import type { Random } from '../../utils/random.ts'

/** One answer on the board. */
export interface Answer {
  /** The whole text, without hidden reasoning. */
  readonly text: string
  /** `model@node`, or the name of the term that made it. */
  readonly by: string
  readonly usage: Usage
  /** 0..1 where the maker can say. */
  readonly confidence?: number
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
      readonly usage: Usage
      readonly ms: number
      readonly cost: number
      readonly text: string
    }
  | {
      readonly type: 'call-fail'
      readonly call: string
      readonly code: string
      readonly message: string
      readonly ms: number
    }
  | { readonly type: 'text-delta'; readonly text: string }
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
}

/** What a running pathway may use. */
export interface PathwayContext {
  readonly matcher: Matcher
  readonly abilities: CapabilityMap
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

/** A map from board to board: every way in which models answer, alone or together, is one. */
export interface Path {
  readonly kind: string
  bound(): Bound
  run(board: Board, context: PathwayContext): AsyncGenerator<PathwayEvent, Board>
}

/** A source of next-token or next-byte distributions: one model, or a fusion of several. */
export interface Decoder {
  readonly kind: string
  bound(): Bound
  open(board: Board, context: PathwayContext): Promise<DecodeSession>
}
