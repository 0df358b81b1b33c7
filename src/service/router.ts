import type { SparseVector } from './analysis/text-features.ts'
import type { Analysis } from './task.ts'

/**
 * What was seen: which arm did how well on which question, at what cost. An arm is a pathway: a single model, several
 * samples of it, a vote, a cascade, a fusion.
 */
export interface OutcomeTable {
  readonly questions: readonly string[]
  /** Text forms of pathways, or model names. */
  readonly arms: readonly string[]
  /** `questions x arms`, row after row: 0 wrong .. 1 right; NaN where the arm was not tried. */
  readonly scores: Float32Array
  /** The same shape: cost of one answer. */
  readonly costs?: Float32Array
}

/** A question as routers see it. */
export interface EncodedQuestion {
  /** Hashed TF-IDF of unit length. */
  readonly sparse: SparseVector
  /** Its place in the latent space of the training questions; unit length. */
  readonly latent: Float32Array
  /** Share of the question that the latent space can show, 0..1: little of a text unlike the training questions. */
  readonly captured: number
  /** What it needs, where the encoder was given something that tells. */
  readonly tags?: Analysis['tags']
}

/**
 * Expects how well each arm would answer. Pure: the same question gives the same estimate. Implementations stand in
 * `routers/`, each with a trainer (a `RouterTrainer`) and a loader of its saved state.
 */
export interface Router {
  readonly kind: string
  readonly arms: number
  /** Expected score per arm, about 0..1. With `subset`, only for these arms, in their order. */
  estimate(question: EncodedQuestion, subset?: Int32Array): Float64Array
  /** Plain data; the loader of the same kind makes an equal router of it. */
  save(): unknown
}

/** What routers are trained on: encoded questions beside the rows of their outcomes. */
export interface TrainingData {
  readonly questions: readonly EncodedQuestion[]
  readonly arms: number
  /** `questions x arms`; NaN where unknown. */
  readonly scores: Float32Array
  /** Buckets of the sparse vectors. */
  readonly dimensions: number
}
