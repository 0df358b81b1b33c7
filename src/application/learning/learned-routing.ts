import type { AskResult, Coordinator, Term } from '../../interaction/index.ts'
import { AUTO } from '../../interaction/index.ts'
import type {
  Analysis,
  Candidate,
  CapabilityMap,
  Matcher,
  OnlineRouter,
  Task,
  TaskAnalyser,
} from '../../service/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { isAbortError, ModelNetError } from '../../utils/errors.ts'
import type { Outcome } from './outcome-log.ts'
import type { QuestionReader, ReadQuestion } from './question-reader.ts'

export interface LearnedRoutingComponents {
  readonly matcher: Matcher
  readonly analyser: TaskAnalyser
  readonly abilities: CapabilityMap
  readonly clock: Clock
  /** Reads questions for a router trained from a log of outcomes; without one the capability map alone chooses. */
  readonly reader?: QuestionReader
  /** Learns on top of the router, over the same arms. */
  readonly online?: OnlineRouter
  /** Reads arms that are pathways and not one model. @default such arms are never chosen */
  readonly inspect?: Coordinator['inspect']
  /** Told of every graded answer. */
  readonly onOutcome: (outcome: Outcome) => void
}

/** Chooses by what was learned from outcomes where that says more than the capability map, and takes in new outcomes. */
export interface LearnedRouting {
  /** The same coordinator, where an automatic choice may be the router's. */
  wrap(coordinator: Pick<Coordinator, 'ask'>): Pick<Coordinator, 'ask'>
  /** A user's word on the answer to the task of this id, 0 wrong .. 1 right, once. Throws NOT_FOUND for one that is not kept. */
  feedback(id: string, score: number): void
  /** A graded answer from elsewhere, such as a probe. */
  learn(outcome: Outcome): void
}

/** Answers that wait for feedback; the oldest are forgotten. */
const KEPT_ANSWERS = 1000
/** Familiarity below which a router is out of its depth. */
const MIN_FAMILIARITY = 0.5
/** Utility by which the router must expect more of its arm than of the model the capability map would ask. */
const MIN_GAIN = 0.02

type Effort = Pick<Candidate, 'cost' | 'latencyMs'>

interface Choice {
  readonly pathway?: string | Term
  readonly why?: string
  /** What went otherwise than it should have. */
  readonly note?: string
}

interface Given {
  readonly question: string
  readonly arm: string
  readonly tags: Analysis['tags']
  readonly members: AskResult['members']
  readonly ms: number
  readonly cost: number
}

export function createLearnedRouting(components: LearnedRoutingComponents): LearnedRouting {
  const { matcher, analyser, abilities, clock, reader, online, inspect, onOutcome } = components
  const given = new Map<string, Given>()

  /** The model or pathway the router would rather ask, and why; none where the capability map decides. */
  async function choose(task: Task, signal?: AbortSignal): Promise<Choice> {
    const text = questionOf(task)
    if (!reader || task.tags || text === undefined) return {}
    const { note, ...read } = await reader.read(text, signal)
    const chosen = preferred(task, read)
    return { ...chosen, ...(note !== undefined && { note }) }
  }

  function preferred(task: Task, { router, question }: ReadQuestion): Choice | undefined {
    const analysis = analyser.analyse(task)
    // parts of a question are routed one by one; a weak guess of parts is none
    if (analysis.composite && (analysis.tags[0]?.probability ?? 0) >= 0.5) return undefined
    const { quality: stated, familiarity } = router.estimate(question)
    if (familiarity < MIN_FAMILIARITY) return undefined
    const candidates = matcher.candidates({ kind: 'any' }, analysis.tags)
    const quality = online ? online.expect(stated) : stated
    const options = router.arms.flatMap((arm, index) => {
      const one = candidates.find(({ model }) => model.card.id === arm)
      const effort = one ?? effortOf(arm, candidates)
      if (!effort || effort.cost > (task.budget.cost ?? Number.POSITIVE_INFINITY)) return []
      const { quality: value, cost, latency } = task.preference
      const expected = quality[index] ?? 0
      const utility = value * expected - cost * effort.cost - (latency * effort.latencyMs) / 1000
      return [{ arm, isModel: one !== undefined, expected, utility }]
    })
    // of a model the router knows nothing of it cannot say that another is better
    const leader = options.find(({ arm }) => arm === candidates[0]?.model.card.id)
    if (!leader) return undefined
    const best = options.reduce((a, b) => (b.utility > a.utility ? b : a), leader)
    if (best.utility <= leader.utility + MIN_GAIN * task.preference.quality) return undefined
    const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
    return {
      pathway: best.isModel ? { call: best.arm } : best.arm,
      why: `of questions like this ${best.arm} is expected to answer ${percent(best.expected)} right, ${leader.arm} ${percent(leader.expected)}`,
    }
  }

  /** At most: each of its calls as dear, and each of its stages as long, as those of the network are. */
  function effortOf(arm: string, candidates: readonly Candidate[]): Effort | undefined {
    if (!inspect) return undefined
    try {
      const { bound } = inspect(arm)
      // one call is one model, which nobody offers now
      if (bound.calls < 2) return undefined
      const most = (values: readonly number[]): number => Math.max(0, ...values)
      return {
        cost: bound.calls * most(candidates.map(({ cost }) => cost)),
        latencyMs: bound.depth * most(candidates.map(({ latencyMs }) => latencyMs)),
      }
    } catch {
      return undefined // a pathway of another version, or of models that are gone
    }
  }

  function keep(task: Task, result: AskResult): void {
    const question = questionOf(task)
    if (question === undefined) return
    const [only] = result.members
    const arm = only && result.members.length === 1 ? only.model : result.pathway
    const { members, ms, cost } = result
    given.set(task.id, { question, arm, tags: analyser.analyse(task).tags, members, ms, cost })
    const [oldest] = given.keys()
    if (given.size > KEPT_ANSWERS && oldest !== undefined) given.delete(oldest)
  }

  function learn(outcome: Outcome): void {
    const read = reader?.recall(outcome.question)
    const arm = read?.router.arms.indexOf(outcome.arm) ?? -1
    if (read && online && arm >= 0) online.learn(read.router.estimate(read.question).quality, arm, outcome.score)
    onOutcome(outcome)
  }

  return {
    learn,
    feedback(id, score) {
      const answer = given.get(id)
      if (!answer) throw new ModelNetError('NOT_FOUND', `no answer ${id} waits for feedback here`)
      given.delete(id)
      const { question, arm, tags, members, ms, cost } = answer
      const at = clock.now()
      for (const { model, node, share } of members)
        for (const { tag, probability } of tags) {
          const weight = share * probability
          if (weight > 0) abilities.observe({ model: `${model}@${node}`, tag, source: 'feedback', score, weight, at })
        }
      learn({ question, arm, score, source: 'feedback', at, ms, cost })
    },
    wrap: coordinator => ({
      async *ask(task, options = {}) {
        const { pathway, why, note } = (options.pathway ?? AUTO) === AUTO ? await choose(task, options.signal) : {}
        const run =
          pathway === undefined || why === undefined
            ? coordinator.ask(task, options)
            : withFallback(coordinator, task, options, { pathway, why })
        const result = yield* note === undefined ? run : withNote(run, note)
        keep(task, result)
        return result
      },
    }),
  }
}

/** Asks the router's choice, a model or a pathway; when it fails before its first word, the network chooses as it would have. */
async function* withFallback(
  coordinator: Pick<Coordinator, 'ask'>,
  task: Task,
  options: Parameters<Coordinator['ask']>[1],
  { pathway, why }: Required<Pick<Choice, 'pathway' | 'why'>>,
): ReturnType<Coordinator['ask']> {
  let spoke = false
  const run = coordinator.ask(task, { ...options, pathway })
  try {
    let step = await run.next()
    for (; !step.done; step = await run.next()) {
      const event = step.value
      spoke ||= event.type === 'text-delta'
      yield event.type === 'pathway-start' ? { ...event, why } : event
    }
    return { ...step.value, why, trace: { ...step.value.trace, why } }
  } catch (error) {
    if (spoke || isAbortError(error) || options?.signal?.aborted) throw error
  } finally {
    await run.return(undefined as never) // the reader may have stopped early
  }
  return yield* coordinator.ask(task, options)
}

/** The same run; the note stands in its trace, behind why the pathway was chosen. */
async function* withNote(run: ReturnType<Coordinator['ask']>, note: string): ReturnType<Coordinator['ask']> {
  const noted = (why: string): string => `${why}; ${note}`
  try {
    let step = await run.next()
    for (; !step.done; step = await run.next()) {
      const event = step.value
      yield event.type === 'pathway-start' ? { ...event, why: noted(event.why) } : event
    }
    const { why, trace } = step.value
    return { ...step.value, why: noted(why), trace: { ...trace, why: noted(trace.why) } }
  } finally {
    await run.return(undefined as never) // the reader may have stopped early
  }
}

/** What the user asked last; undefined in a conversation, whose last words alone may say nothing. */
function questionOf({ messages }: Task): string | undefined {
  const users = messages.filter(({ role }) => role === 'user')
  const [question] = users
  return users.length === 1 && question ? question.content : undefined
}
