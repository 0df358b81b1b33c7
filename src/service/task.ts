import type { ChatMessage, GenerateRequest } from '../protocol/index.ts'

/** What a request may spend. Absent means no limit. */
export interface Budget {
  readonly calls?: number
  /** Completion tokens, all members together. */
  readonly tokens?: number
  /** In the currency of the cards' prices. */
  readonly cost?: number
  /** Milliseconds from the start of the request. */
  readonly deadlineMs?: number
}

/** How much a request values quality against money and time; weights are not negative. */
export interface Preference {
  /** @default 1 */
  readonly quality: number
  /** Utility lost per unit of currency. @default 0 */
  readonly cost: number
  /** Utility lost per second. @default 0.01 */
  readonly latency: number
}

/** A user's request as the layers below the application see it. */
export interface Task {
  readonly id: string
  readonly messages: readonly ChatMessage[]
  /** Sampling options of the request, without its messages. */
  readonly options: Omit<GenerateRequest, 'messages'>
  readonly budget: Budget
  readonly preference: Preference
  /** Tags the user set by hand; they win over analysis. */
  readonly tags?: readonly string[]
}

/** What a look at the text says a task needs. */
export interface Analysis {
  /**
   * Tags with their probability, most probable first: `skill:arithmetic` 0.97. A finer tag (`skill:addition`) stands
   * beside the one it refines, with the same probability.
   */
  readonly tags: readonly { readonly tag: string; readonly probability: number }[]
  /** BCP-47 primary language: `en`, `zh`. */
  readonly language: string
  /** 0 easy .. 1 hard. */
  readonly difficulty: number
  /** The shape the answer should have. */
  readonly format: 'number' | 'choice' | 'boolean' | 'json' | 'code' | 'text'
  /** What the answer is made of. */
  readonly modality: 'text' | 'image' | 'audio' | 'video'
  /** Tokens the answer is expected to take. */
  readonly length: number
  /** True when the question is made of parts that different skills answer. */
  readonly composite: boolean
  /** 0 when nothing like this was ever seen; routers fall back below their threshold. */
  readonly confidence: number
  /** Which model was asked to help, and what came of it; absent where none was. */
  readonly refinement?: string
}

/** Analyses without asking any model; implementations may refine with one. */
export interface TaskAnalyser {
  analyse(task: Pick<Task, 'messages' | 'tags'>): Analysis
}
