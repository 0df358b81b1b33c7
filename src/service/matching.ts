import type { Capability } from '../protocol/index.ts'
import type { LanguageModel } from '../resource/index.ts'
import type { Ability } from './capability-map.ts'

/** A model that could serve a requirement, with what is expected of it. */
export interface Candidate {
  readonly model: LanguageModel
  /** `model@node`. */
  readonly name: string
  readonly ability: Ability
  /** Expected ms until the whole answer, from load, speed and round trip. */
  readonly latencyMs: number
  /** How many times longer than alone it is expected to take, for the work that is before it. @default 1 */
  readonly load?: number
  /** Expected cost of one answer, in the currency of the card's price. */
  readonly cost: number
}

/** How many times longer than alone an answer of it is expected to take; 1 where nothing is before it. */
export const loadOf = ({ load = 1 }: Candidate): number => load

/** What a call in a pathway asks for; names are resolved as late as possible, so a pathway survives churn. */
export type ModelReference =
  /** `@arithmetic` or `@skill:arithmetic`: whoever is best at the tag now. */
  | { readonly kind: 'tag'; readonly tag: string }
  /** `publisher/name` at any node, or `publisher/name@node` at one (a prefix of the node id will do). */
  | { readonly kind: 'model'; readonly id: string; readonly node?: string }
  /** `*`: whoever suits the task best. */
  | { readonly kind: 'any' }

/** Finds who can serve a reference now, best first. */
export interface Matcher {
  /**
   * Rejects nothing: an empty list means nobody. `tags` are those of the task, most probable first. Only models whose card
   * says that they are capable of it. @default capable of `generate`
   */
  candidates(
    reference: ModelReference,
    tags: readonly { readonly tag: string; readonly probability: number }[],
    capable?: Capability,
  ): readonly Candidate[]
  /**
   * Some node offered it lately, even if none does now: tells a name that is mistyped from one whose node is away.
   * @default everything counts as known
   */
  knows?(reference: ModelReference): boolean
}
