import { type Coordinator, createCoordinator, createFusedSession, decodeText } from '../../interaction/index.ts'
import type { LanguageModel } from '../../resource/index.ts'
import {
  createCallRecord,
  createCapabilityMap,
  createCircuitBreakers,
  createFailoverModel,
  createMatcher,
  createTaskAnalyser,
  type Offer,
  type Task,
} from '../../service/index.ts'
import { type Clock, systemClock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createRandom } from '../../utils/random.ts'
import type { Question } from '../question.ts'
import type { SystemAnswer } from '../system.ts'
import type { FusedAnswer, FusionRecipe, PaperAskOptions, PaperBench } from './bench.ts'
import { ruleOf } from './recipes.ts'

/** A node of the bench and the models it holds; the same model may stand at several. */
export interface BenchNode {
  readonly id: string
  readonly models: readonly LanguageModel[]
}

/** Symbols of a fused answer at most: the longest worked answers of the shipped models have about 150 tokens. */
const MAX_SYMBOLS = 256
const MAX_SYMBOLS_OF_BYTES = 1024
/** Nobody counts as late on a busy machine, so that a second run gives the same answers. */
const patientClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms * 1000, signal) }
/** Token candidates per member: GaC's approximation takes 50. */
const TOP_TOKENS = 50

/**
 * A bench on models in this process: pathways run through the real coordinator, matching, failover and fusion, only
 * the network between them is left out. Who is offline refuses every call with PEER_UNREACHABLE; the others do not
 * know before they ask. Every request starts without memory of failures, so that requests are independent.
 */
export function createLocalBench(nodes: readonly BenchNode[]): PaperBench {
  const placed = nodes.flatMap(({ id, models }) => models.map(model => at(model, id)))
  const byId = new Map<string, LanguageModel>()
  for (const model of placed) if (!byId.has(model.card.id)) byId.set(model.card.id, model)
  const analyser = createTaskAnalyser()
  const abilities = createCapabilityMap({ clock: patientClock })
  for (const { card } of placed) abilities.describe(card)
  const find = (member: string): LanguageModel => {
    const model = byId.get(member) ?? placed.find(({ card }) => `${card.id}@${card.node}` === member)
    if (!model)
      throw new ModelNetError(
        'MODEL_NOT_FOUND',
        `the bench has no model ${member}; it has ${[...byId.keys()].join(', ')}`,
      )
    return model
  }

  const coordinatorFor = (offline: ReadonlySet<string>, seed: number): Coordinator => {
    const breakers = createCircuitBreakers({ clock: patientClock })
    const calls = createCallRecord({ clock: patientClock })
    const offers = placed.map(
      (model): Offer => ({ model: refuse(model, offline), nodeId: model.card.node, state: 'alive' }),
    )
    return createCoordinator({
      matcher: createMatcher({ offers: () => offers, abilities, breakers, calls }),
      abilities,
      analyser,
      failover: candidates =>
        createFailoverModel(candidates, { clock: patientClock, breakers, calls }, { hedgeQuantile: 1 }),
      clock: patientClock,
      random: createRandom(seed),
      logger: silentLogger,
    })
  }

  return {
    members: [...byId.keys()],
    async ask(pathway, question, options = {}) {
      const { seed = 1, temperature = 0, offline = new Set(), signal } = options
      return askPathway(coordinatorFor(offline, seed), pathway, question, {
        seed,
        temperature,
        ...(signal ? { signal } : {}),
      })
    },
    fuse: (members, recipe, question, options = {}) => fuse(members.map(find), members, recipe, question, options),
    async likelihood(member, question, text, { signal } = {}) {
      const model = find(member)
      if (!model.score) throw new ModelNetError('UNSUPPORTED', `${member} cannot score a text`)
      const score = await model.score({ messages: messagesOf(question), text }, signal ? { signal } : {})
      return score.logprob / Math.max(1, score.bytes)
    },
  }
}

const messagesOf = (question: Question): readonly [{ role: 'user'; content: string }] => [
  { role: 'user', content: question.question },
]

/** The same model as another node offers it. */
const at = (model: LanguageModel, node: string): LanguageModel => ({ ...model, card: { ...model.card, node } })

/** The model, or what is left of it while its id, its node or `id@node` is offline: every call is refused. */
function refuse(model: LanguageModel, offline: ReadonlySet<string>): LanguageModel {
  const { id, node } = model.card
  if (![id, node, `${id}@${node}`].some(name => offline.has(name))) return model
  const gone = (): ModelNetError => new ModelNetError('PEER_UNREACHABLE', `${id}@${node} is offline`)
  return {
    card: model.card,
    // biome-ignore lint/correctness/useYield: refuses before the first part
    async *generate() {
      throw gone()
    },
    open: () => Promise.reject(gone()),
    score: () => Promise.reject(gone()),
  }
}

async function askPathway(
  coordinator: Coordinator,
  pathway: string,
  question: Question,
  { seed, temperature, signal }: { readonly seed: number; readonly temperature: number; readonly signal?: AbortSignal },
): Promise<SystemAnswer> {
  const task: Task = {
    id: question.id,
    messages: messagesOf(question),
    options: { temperature, seed },
    budget: {},
    preference: { quality: 1, cost: 0, latency: 0 },
  }
  const run = coordinator.ask(task, { pathway, ...(signal ? { signal } : {}) })
  let calls = 0
  let step = await run.next()
  for (; !step.done; step = await run.next()) if (step.value.type === 'call-start') calls++
  const { text, usage, ms, members, confidence } = step.value
  return {
    text,
    usage,
    ms,
    calls,
    members: members.map(member => `${member.model}@${member.node}`),
    ...(confidence === undefined ? {} : { confidence }),
  }
}

async function fuse(
  models: readonly LanguageModel[],
  names: readonly string[],
  recipe: FusionRecipe,
  question: Question,
  options: PaperAskOptions,
): Promise<FusedAnswer> {
  const { offline = new Set(), seed = 1, signal } = options
  const started = performance.now()
  const { method, topT = 1 } = recipe
  const bytes = method === 'bytes'
  const online = names.flatMap((name, index) =>
    offline.has(name) || !models[index] ? [] : [{ name, model: models[index] }],
  )
  if (online.length === 0) throw new ModelNetError('NO_CANDIDATE', 'no member of the fusion is online')
  const distribution = bytes ? ({ kind: 'bytes' } as const) : ({ kind: 'tokens', top: TOP_TOKENS } as const)
  const members = await Promise.all(
    online.map(async ({ name, model }) => {
      if (!model.open) throw new ModelNetError('UNSUPPORTED', `${name} has no decode sessions`)
      return {
        name,
        weight: 1,
        session: await model.open({ messages: messagesOf(question) }, { distribution, ...(signal ? { signal } : {}) }),
      }
    }),
  )
  const session = createFusedSession(members, {
    rule: ruleOf(recipe),
    quorum: members.length,
    clock: patientClock,
    ...(bytes ? {} : { learn: false as const }),
  })
  try {
    let text = ''
    let steps = 0
    const decoding = decodeText(session, {
      maxTokens: bytes ? MAX_SYMBOLS_OF_BYTES / 4 : MAX_SYMBOLS,
      seed,
      topT,
      temperature: topT > 1 ? 1 : (options.temperature ?? 0),
      ...(signal ? { signal } : {}),
    })
    for await (const part of decoding) {
      if (part.type === 'text-delta') text += part.text
      else steps = part.metrics.symbols
    }
    const tokens = (bytes ? Math.ceil(steps / 4) : steps) * members.length
    return {
      text,
      usage: { promptTokens: 0, completionTokens: tokens },
      ms: performance.now() - started,
      calls: members.length,
      candidates: session.metrics.candidates,
      steps,
    }
  } finally {
    await session.close()
  }
}
