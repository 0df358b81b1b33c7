/** Where a piece of evidence comes from, by trust: the node's own claim counts least. */
export type EvidenceSource = 'claim' | 'feedback' | 'judge' | 'audit' | 'grader' | 'probe'

export interface Evidence {
  /** `model@node` or `model`. */
  readonly model: string
  readonly tag: string
  readonly source: EvidenceSource
  /** 0 wrong .. 1 right. */
  readonly score: number
  /** Answers this stands for. @default 1 */
  readonly weight?: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What is believed of one model at one tag. */
export interface Ability {
  /** Expected share of right answers. */
  readonly mean: number
  /** Standard deviation of that belief. */
  readonly deviation: number
  /** Answers the belief rests on, claims discounted. 0 is the prior alone. */
  readonly evidence: number
}

/**
 * The resource-capability map of the paper (AI-ModelNet 2.2, step 3): per model and tag a posterior of quality from
 * probes, audits, feedback and graded collaborations, never from the card alone.
 */
export interface CapabilityMap {
  ability(model: string, tag: string): Ability
  observe(evidence: Evidence): void
}
