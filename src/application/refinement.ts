import type { Failover, NetworkEmbedder } from '../interaction/index.ts'
import type { Directory } from '../network/index.ts'
import type { Analysis, Matcher, SkillRefiner, Task, TaskAnalyser } from '../service/index.ts'
import { createEmbeddingRefiner, createInstructionRefiner, createRefinement } from '../service/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import { createRandom } from '../utils/random.ts'
import type { NodeConfig } from './config-schema.ts'

export interface RefinementComponents {
  readonly analyser: TaskAnalyser
  readonly matcher: Matcher
  readonly failover: Failover
  readonly embed: NetworkEmbedder
  readonly directory: Pick<Directory, 'entries'>
  readonly clock: Clock
}

/** Example questions of a skill. */
const EXAMPLES = 12
const MAX_SKILLS = 64

/** The analysis of tasks with the help of a model of the network, as configured; undefined where it is not. */
export function createTaskRefinement(
  components: RefinementComponents,
  { refine, probeQuestions }: NodeConfig['service'],
): ((task: Task, signal?: AbortSignal) => Promise<Analysis>) | undefined {
  if (!refine) return undefined
  const { analyser, clock, directory } = components
  const skills = (): readonly string[] => {
    const cards = directory.entries().flatMap(entry => (entry.state === 'alive' ? entry.cards : []))
    const tags = cards.flatMap(card => card.tags.filter(tag => tag.startsWith('skill:')))
    return [...new Set([...tags, 'skill:general'])].slice(0, MAX_SKILLS)
  }
  const refiner = MAKERS[refine.by](refine.model, { ...components, skills, probeQuestions })
  return createRefinement({ analyser, refiner, clock }, { timeoutMs: refine.timeoutMs, below: refine.below })
}

type Maker = (
  model: string,
  parts: RefinementComponents & {
    readonly skills: () => readonly string[]
    readonly probeQuestions: readonly string[]
  },
) => SkillRefiner

const MAKERS: Readonly<Record<'instruction' | 'embedding', Maker>> = {
  instruction: (model, { skills, matcher, failover }) =>
    createInstructionRefiner({
      model,
      skills,
      async ask(request, options) {
        const at = model.lastIndexOf('@')
        const reference = {
          kind: 'model',
          ...(at > 0 ? { id: model.slice(0, at), node: model.slice(at + 1) } : { id: model }),
        } as const
        const candidates = matcher.candidates(reference, [])
        if (candidates.length === 0) throw new ModelNetError('MODEL_NOT_FOUND', `no node offers a model named ${model}`)
        let text = ''
        for await (const part of failover(candidates, () => undefined).generate(request, options))
          if (part.type === 'text-delta') text += part.text
        return text
      },
    }),
  embedding: (model, { skills, embed, probeQuestions }) =>
    createEmbeddingRefiner({
      model,
      embed: async (texts, options) => (await embed(model, texts, options)).embeddings,
      async examples() {
        // only who refines so needs the data sets
        const { createProbeQuestions } = await import('./learning/probe-questions.ts')
        const source = await createProbeQuestions(probeQuestions, createRandom('examples'))
        const byTag = skills().map(tag => {
          const questions = Array.from({ length: EXAMPLES }, () => source(tag)?.question)
          return [tag, questions.filter(question => question !== undefined)] as const
        })
        return new Map(byTag.filter(([, questions]) => questions.length > 0))
      },
    }),
}
