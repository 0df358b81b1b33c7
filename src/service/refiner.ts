import type { CallOptions } from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'
import { withDeadline } from '../utils/deadline.ts'
import { isAbortError, toModelNetError } from '../utils/errors.ts'
import type { Analysis, Task, TaskAnalyser } from './task.ts'

/** Names the skills a question needs with the help of a model. Implementations are in `refiners/`. */
export interface SkillRefiner {
  /** What stands behind it, for traces: `an instruction to NAME`. */
  readonly name: string
  /** Skills with their probabilities, which sum to 1 at most; undefined when the model cannot tell. */
  skillsOf(question: string, options: CallOptions): Promise<Analysis['tags'] | undefined>
}

export interface RefinementOptions {
  /** Milliseconds a request waits for the model. @default 1000 */
  readonly timeoutMs?: number
  /** Analyses as sure as this stand as they are. @default 0.9 */
  readonly below?: number
}

/**
 * The analysis of a task, by a model where the fast one is in doubt: the two are mixed by how sure the fast one is. A model
 * that is late, fails or cannot tell changes nothing; `refinement` of the analysis, and so the trace, says which it was.
 */
export function createRefinement(
  parts: { readonly analyser: TaskAnalyser; readonly refiner: SkillRefiner; readonly clock: Clock },
  options: RefinementOptions = {},
): (task: Task, signal?: AbortSignal) => Promise<Analysis> {
  const { analyser, refiner, clock } = parts
  const { timeoutMs = 1000, below = 0.9 } = options
  return async (task, signal) => {
    const analysis = analyser.analyse(task)
    const question = task.messages.findLast(({ role }) => role === 'user')?.content.trim()
    if (!question || analysis.confidence >= below) return analysis
    const none = (why: string): Analysis => ({ ...analysis, refinement: `${refiner.name} ${why}` })
    try {
      const skills = await withDeadline(clock, { signal, deadlineMs: timeoutMs }, within =>
        refiner.skillsOf(question, { signal: within, deadlineMs: timeoutMs }),
      )
      return skills === undefined ? none('could not tell the skills') : refined(analysis, skills, refiner.name)
    } catch (error) {
      if (signal?.aborted || isAbortError(error)) throw error
      const { code, message } = toModelNetError(error)
      return none(code === 'DEADLINE_EXCEEDED' ? `was not done within ${timeoutMs} ms` : `failed: ${message}`)
    }
  }
}

function refined(analysis: Analysis, skills: Analysis['tags'], by: string): Analysis {
  const { confidence } = analysis
  const mixed = new Map<string, number>()
  const add = (tags: Analysis['tags'], weight: number): void => {
    for (const { tag, probability } of tags) mixed.set(tag, (mixed.get(tag) ?? 0) + weight * probability)
  }
  add(analysis.tags, confidence)
  add(skills, 1 - confidence)
  const tags = [...mixed]
    .map(([tag, probability]) => ({ tag, probability }))
    .sort((a, b) => b.probability - a.probability)
  const top = Math.max(...skills.map(({ probability }) => probability))
  const named = skills.map(({ tag, probability }) => `${tag} ${probability.toFixed(2)}`)
  return {
    ...analysis,
    tags,
    confidence: confidence + (1 - confidence) * top,
    refinement: `${by}: ${named.slice(0, 3).join(', ')}`,
  }
}
