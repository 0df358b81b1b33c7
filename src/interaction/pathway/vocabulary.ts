import type { Parameters } from './parameters.ts'
import type { Answer, Board, Bound, BoundGiven, Path, PathwayContext, PathwayEvent } from './path.ts'
import type { Arguments, Term } from './term.ts'

/** Reduces the answers on the board, most rules to one; named in `pick` and `!`. */
export interface Rule {
  readonly name: string
  readonly description: string
  /** The arguments it takes; any other is refused. @default none */
  readonly parameters?: Parameters
  /** What it costs, where it asks models. @default nothing */
  bound?(given: BoundGiven, args: Arguments): Partial<Bound>
  /** Throws NO_CANDIDATE when there is nothing to pick from. */
  run(board: Board, context: PathwayContext, args: Arguments): AsyncGenerator<PathwayEvent, Answer | readonly Answer[]>
  /** True when no outcome of the branches that still run can change what is picked. */
  decided?(board: Board, pending: number, context: PathwayContext): boolean
}

/** Says whether the answers on the board will do; named in `?{…}` and `loop`. */
export interface Condition {
  readonly name: string
  readonly description: string
  /** The arguments it takes; any other is refused. @default none */
  readonly parameters?: Parameters
  bound?(given: BoundGiven, args: Arguments): Partial<Bound>
  check(board: Board, context: PathwayContext, args: Arguments): AsyncGenerator<PathwayEvent, Verdict>
}

export interface Verdict {
  readonly accepted: boolean
  /** For the trace. */
  readonly why: string
  /** How near to acceptance, where there are degrees: a loop keeps the board that came nearest. */
  readonly score?: number
  /** The answers that go on when accepted. @default those on the board */
  readonly answers?: readonly Answer[]
}

/** A named way to build a pathway. */
export interface Strategy {
  readonly name: string
  /** One line. */
  readonly description: string
  /** What models must be able to do: `generate`, `bytes`, `score`, … */
  readonly needs: readonly string[]
  /** An example in the text form. */
  readonly example: string
  /** The arguments it takes; any other is refused before it builds. @default none */
  readonly parameters?: Parameters
  /** `of` are the terms it is applied to; empty means it chooses members itself. */
  build(of: readonly Term[], args: Arguments): Term | Path
}

/** The names a pathway may use. */
export interface Vocabulary {
  readonly rules: ReadonlyMap<string, Rule>
  readonly conditions: ReadonlyMap<string, Condition>
  readonly strategies: ReadonlyMap<string, Strategy>
}

/** A map by name; a later item of the same name wins. */
export const byName = <T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> =>
  new Map(items.map(item => [item.name, item]))
