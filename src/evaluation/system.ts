import type { Usage } from '../protocol/index.ts'
import type { Question } from './question.ts'

export interface SystemAnswer {
  readonly text: string
  /** All internal calls together. */
  readonly usage: Usage
  /** Wall time of this answer in milliseconds. */
  readonly ms: number
  /** Calls of models, failed ones included. */
  readonly calls: number
  /** `model@node` of every member that had a part. */
  readonly members?: readonly string[]
  /** 0..1 where the system states one. */
  readonly confidence?: number
}

export interface AskOptions {
  readonly signal?: AbortSignal
  /** Depends on the run's seed and the question only, so that a second run asks the same. */
  readonly seed?: number
}

/** What is measured: one model, a pathway, a whole network, or a baseline made of them. */
export interface System {
  readonly name: string
  /** Rejects when no answer could be had; that counts as a failure, which is not right. */
  answer(question: Question, options?: AskOptions): Promise<SystemAnswer>
}
