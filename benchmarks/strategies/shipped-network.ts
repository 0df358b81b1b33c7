import { createHash } from 'node:crypto'
import type { Question } from '../../src/evaluation/index.ts'
import { graderOf, guessGrader } from '../../src/evaluation/index.ts'
import { createCoordinator, finalAnswer } from '../../src/interaction/index.ts'
import type { GeneratePart, LanguageModel } from '../../src/resource/index.ts'
import { createCapabilityMap, createFailoverModel, createMatcher, createTaskAnalyser } from '../../src/service/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { isModelNetError } from '../../src/utils/errors.ts'
import { createRandom } from '../../src/utils/random.ts'
import type { Family } from '../token-level/models.ts'

/** What one pathway did with one question. */
export interface Outcome {
  readonly right: boolean
  /** It said that it does not know, or nothing that can be read as an answer of the expected kind. */
  readonly abstained: boolean
  /** Code of the error, where there was no answer. */
  readonly error?: string
  readonly text: string
  readonly calls: number
  readonly tokens: number
  readonly confidence?: number
}

export interface ShippedNetwork {
  ask(question: Question, pathway: string): Promise<Outcome>
  measure(questions: readonly Question[], pathway: string): Promise<readonly Outcome[]>
  readonly memory: { readonly asked: number; readonly remembered: number }
}

/** The product's coordinator, matcher and failover over shipped models in this process; equal calls are made once. */
export function createShippedNetwork(family: Family): ShippedNetwork {
  const abilities = createCapabilityMap({ clock: systemClock })
  const memory = { asked: 0, remembered: 0 }
  const models = family.names.map(name => remembering(family.model(name), memory))
  for (const { card } of models) abilities.describe(card)
  const matcher = createMatcher({
    offers: () => models.map(model => ({ model, nodeId: model.card.node, state: 'alive' as const })),
    abilities,
  })
  const newCoordinator = (): ReturnType<typeof createCoordinator> =>
    createCoordinator({
      matcher,
      abilities,
      analyser: createTaskAnalyser(),
      failover: (candidates, onSwitch) => createFailoverModel(candidates, { clock: systemClock, onSwitch }),
      clock: systemClock,
      random: createRandom(1),
    })

  async function ask(
    question: Question,
    pathway: string,
    coordinator: ReturnType<typeof createCoordinator> = newCoordinator(),
  ): Promise<Outcome> {
    const grader = graderOf(question.grader ?? guessGrader(question.answer))
    const task = {
      id: question.id,
      messages: [{ role: 'user' as const, content: question.question }],
      options: { seed: 1, maxTokens: 200 },
      budget: {},
      preference: { quality: 1, cost: 0, latency: 0.01 },
    }
    const run = coordinator.ask(task, { pathway })
    let calls = 0
    try {
      let step = await run.next()
      for (; !step.done; step = await run.next()) if (step.value.type === 'call-start') calls++
      const { text, usage, confidence } = step.value
      const { verdict } = grader.grade(finalAnswer(text), question.answer)
      const abstained = /^I do not know/u.test(text) || grader.key(finalAnswer(text)) === undefined
      const sure = confidence === undefined ? {} : { confidence }
      return { right: verdict === 'right', abstained, text, calls, tokens: usage.completionTokens, ...sure }
    } catch (error) {
      // an answer that is not given is a wrong one
      const code = isModelNetError(error) ? error.code : String(error)
      return { right: false, abstained: false, error: code, text: '', calls, tokens: 0 }
    }
  }

  return {
    ask,
    memory,
    async measure(questions, pathway) {
      const coordinator = newCoordinator() // what `dynamic` learns, it learns from the questions of its own row
      const outcomes: Outcome[] = []
      for (const question of questions) outcomes.push(await ask(question, pathway, coordinator))
      return outcomes
    },
  }
}

/** Equal requests have equal answers, as sampling is seeded: what was asked once is told again, with the same usage. */
function remembering(model: LanguageModel, memory: { asked: number; remembered: number }): LanguageModel {
  const known = new Map<string, readonly GeneratePart[]>()
  return {
    ...model,
    card: model.card,
    async *generate(request, options) {
      const { seed, ...unseeded } = request
      const key = createHash('sha256')
        .update(JSON.stringify(request.temperature ? { ...unseeded, seed } : unseeded)) // greedy: no seed counts
        .digest('base64')
      const before = known.get(key)
      if (before) {
        memory.remembered++
        yield* before
        return
      }
      memory.asked++
      const parts: GeneratePart[] = []
      for await (const part of model.generate(request, options)) {
        parts.push(part)
        if (part.type === 'finish') known.set(key, parts) // whoever reads may stop here
        yield part
      }
    },
    ...(model.open ? { open: (request, options) => model.open?.(request, options) as never } : {}),
  }
}
