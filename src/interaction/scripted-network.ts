import type { LanguageModel } from '../resource/index.ts'
import type { Analysis, Candidate, CapabilityMap, Evidence, Matcher, Task } from '../service/index.ts'
import { createFailoverModel } from '../service/index.ts'
import type { Clock } from '../utils/clock.ts'
import { systemClock } from '../utils/clock.ts'
import { createRandom } from '../utils/random.ts'
import type { AskOptions, Coordinator } from './coordinator.ts'
import { createCoordinator } from './coordinator.ts'
import type { GraphStore } from './mutual/graph-store.ts'
import type { PathwayEvent } from './pathway/path.ts'
import type { AskResult } from './result.ts'
import { defaultVocabulary } from './strategies/index.ts'

/** For the tests of this layer: scripted models behind a real coordinator, with abilities that are stated. */
export interface ScriptedNetwork {
  readonly coordinator: Coordinator
  readonly matcher: Matcher
  readonly analysis: Analysis
  readonly evidence: readonly Evidence[]
  readonly events: PathwayEvent[]
  ask(
    question: string,
    pathway?: AskOptions['pathway'],
    task?: Partial<Task> & { signal?: AbortSignal },
  ): Promise<AskResult>
}

export interface ScriptedNetworkOptions {
  readonly analysis?: Partial<Analysis>
  /** Ability by model id. @default 0.8 */
  readonly abilities?: Readonly<Record<string, number>>
  readonly clock?: Clock
  readonly costs?: Readonly<Record<string, number>>
  /** How many times longer than alone an answer takes, by model id. @default 1 */
  readonly loads?: Readonly<Record<string, number>>
  /** What `dynamic` knows. */
  readonly graph?: GraphStore
}

/** Models are ranked by ability, then in the order given. A tag names the models whose card lists it. */
export function createScriptedNetwork(
  models: readonly LanguageModel[],
  options: ScriptedNetworkOptions = {},
): ScriptedNetwork {
  const { clock = systemClock, abilities: stated = {}, costs = {}, loads = {} } = options
  const evidence: Evidence[] = []
  const abilities: CapabilityMap = {
    ability: model => ({ mean: stated[model.slice(0, model.lastIndexOf('@'))] ?? 0.8, deviation: 0.05, evidence: 20 }),
    observe: each => evidence.push(each),
  }
  const candidate = (model: LanguageModel): Candidate => {
    const name = `${model.card.id}@${model.card.node}`
    const { id } = model.card
    const load = loads[id] ?? 1
    return { model, name, ability: abilities.ability(name, ''), latencyMs: 10 * load, load, cost: costs[id] ?? 0 }
  }
  const matcher: Matcher = {
    candidates(reference, _tags, capable = 'generate') {
      const wanted = models.filter(({ card }) => {
        if (!card.capabilities.includes(capable)) return false
        if (reference.kind === 'any') return !card.tags.includes('skill:planning')
        if (reference.kind === 'tag') return card.tags.includes(`skill:${reference.tag.replace(/^skill:/, '')}`)
        return card.id === reference.id && (reference.node === undefined || card.node.startsWith(reference.node))
      })
      return wanted.map(candidate).sort((a, b) => b.ability.mean - a.ability.mean)
    },
  }
  const analysis: Analysis = {
    tags: [{ tag: 'skill:arithmetic', probability: 0.9 }],
    language: 'en',
    difficulty: 0.3,
    format: 'number',
    modality: 'text',
    length: 20,
    composite: false,
    confidence: 0.9,
    ...options.analysis,
  }
  const coordinator = createCoordinator({
    matcher,
    abilities,
    analyser: { analyse: () => analysis },
    failover: (candidates, onSwitch) => createFailoverModel(candidates, { clock, onSwitch }),
    clock,
    random: createRandom(7),
    vocabulary: defaultVocabulary(options.graph),
  })
  const events: PathwayEvent[] = []
  return {
    coordinator,
    matcher,
    analysis,
    evidence,
    events,
    async ask(question, pathway, { signal, ...task } = {}) {
      const run = coordinator.ask(
        {
          id: 'task',
          messages: [{ role: 'user', content: question }],
          options: {},
          budget: {},
          preference: { quality: 1, cost: 0, latency: 0.01 },
          ...task,
        },
        { ...(pathway === undefined ? {} : { pathway }), ...(signal ? { signal } : {}) },
      )
      events.length = 0
      let step = await run.next()
      for (; !step.done; step = await run.next()) events.push(step.value)
      return step.value
    },
  }
}
