import type { ModelSpec } from '../../resource/index.ts'
import type { Question } from '../question.ts'
import type { Block } from '../report/document.ts'
import { type Evaluation, evaluate, type Progress, type Row } from '../run.ts'
import { rowsOf } from '../summary.ts'
import type { AskOptions, System, SystemAnswer } from '../system.ts'

/** How distributions are fused, by the names of the DuetNet paper where it has one. */
export interface FusionRecipe {
  /**
   * `duet-raw` as published, `duet` shift-invariant, `dp` DuetNet with probabilities, `dk` DuetNet without top-P,
   * `gac`, `unite`, `max` the vision paper's greedy parallel, `mean` over tokens, `bytes` the exact mean over bytes with
   * weights learned along the text.
   */
  readonly method: 'duet-raw' | 'duet' | 'dp' | 'dk' | 'gac' | 'unite' | 'max' | 'mean' | 'bytes'
  /** tau_K. @default 10 */
  readonly topK?: number
  /** tau_P. @default 0.75 */
  readonly topP?: number
  /** T: one of the best T is drawn; 1 is greedy. @default 1 */
  readonly topT?: number
  /** For `duet-raw` and `dk`: nats added to log-probabilities to stand for raw logits. @default 10 */
  readonly offset?: number
}

export interface FusedAnswer extends SystemAnswer {
  /** Candidates aligned across members, all steps together (DuetNet figure 7). */
  readonly candidates: number
  /** Symbols chosen. */
  readonly steps: number
}

export interface PaperAskOptions extends AskOptions {
  /** Members that refuse every call of this request. */
  readonly offline?: ReadonlySet<string>
  /** @default 0 */
  readonly temperature?: number
}

/**
 * The models an experiment runs on and the two ways to ask them. The experiments know nothing of engines, networks or
 * the pathway runner; a scripted bench tests them.
 */
export interface PaperBench {
  /** Ids of the models, usable in pathways. */
  readonly members: readonly string[]
  /** Asks a pathway in its text form. */
  ask(pathway: string, question: Question, options?: PaperAskOptions): Promise<SystemAnswer>
  /** Mean log-probability per byte, in nats, that a member gives to a text as the answer to a question. */
  likelihood(member: string, question: Question, text: string, options?: AskOptions): Promise<number>
  /** Lets members write one text token by token; all of them at equal weights. */
  fuse(
    members: readonly string[],
    recipe: FusionRecipe,
    question: Question,
    options?: PaperAskOptions,
  ): Promise<FusedAnswer>
}

/** A model of the bench with the questions it never saw. */
export interface PaperModel {
  readonly spec: ModelSpec
  /** JSONL of held-out questions. */
  readonly heldout: string
}

/** Questions that are reported together. */
export interface QuestionSet {
  readonly name: string
  readonly questions: readonly Question[]
}

export interface ExperimentOptions {
  /** @default 1 */
  readonly seed?: number
  /** @default 2 */
  readonly concurrency?: number
  /** Folder for the checkpoints of the parts. @default none */
  readonly checkpoints?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (part: string, progress: Progress) => void
  /** Told of the rows of every part, whether asked now or taken from a checkpoint. */
  readonly onEvaluation?: (evaluation: Evaluation) => void
}

/** What an experiment found: blocks for a reader, and the figures behind them. */
export interface ExperimentResult {
  readonly name: string
  readonly title: string
  readonly blocks: readonly Block[]
  readonly figures: Readonly<Record<string, unknown>>
  /** The figure to take away, where there is one. */
  readonly highlight?: { readonly figure: string; readonly text: string }
}

/** All sets as one list, ids prefixed by the name of the set. */
export const allQuestions = (sets: readonly QuestionSet[]): readonly Question[] =>
  sets.flatMap(({ name, questions }) => questions.map(question => ({ ...question, id: `${name}/${question.id}` })))

/** The rows of one system on one set, in the order of the questions. */
export const rowsOnSet = (evaluation: Evaluation, system: string, set: string): readonly Row[] =>
  rowsOf(evaluation, system).filter(row => row.question.startsWith(`${set}/`))

export const shareRight = (rows: readonly Row[]): number =>
  rows.filter(row => row.verdict === 'right').length / Math.max(1, rows.length)

/** A pathway as a system; who is offline may depend on the request. */
export const pathwaySystem = (
  bench: PaperBench,
  name: string,
  pathway: string,
  offline?: (question: Question) => ReadonlySet<string>,
): System => ({
  name,
  answer: (question, options = {}) =>
    bench.ask(pathway, question, { ...options, ...(offline ? { offline: offline(question) } : {}) }),
})

/** A fusion as a system. */
export const fusionSystem = (
  bench: PaperBench,
  name: string,
  members: readonly string[],
  recipe: FusionRecipe,
  offline?: (question: Question) => ReadonlySet<string>,
): System => ({
  name,
  answer: (question, options = {}) =>
    bench.fuse(members, recipe, question, { ...options, ...(offline ? { offline: offline(question) } : {}) }),
})

/** Runs one part of an experiment, with its own checkpoint. */
export async function runPart(
  part: string,
  systems: readonly System[],
  questions: readonly Question[],
  options: ExperimentOptions,
): Promise<Evaluation> {
  const { seed = 1, concurrency = 2, checkpoints, signal, onProgress, onEvaluation } = options
  const evaluation = await evaluate(systems, questions, {
    seed,
    concurrency,
    ...(checkpoints === undefined ? {} : { checkpoint: `${checkpoints}/${part}.jsonl` }),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress: progress => onProgress(part, progress) } : {}),
  })
  onEvaluation?.(evaluation)
  return evaluation
}
