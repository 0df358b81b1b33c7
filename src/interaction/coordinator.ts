import { setMaxListeners } from 'node:events'
import type { Analysis, CapabilityMap, Matcher, Task, TaskAnalyser } from '../service/index.ts'
import type { Clock } from '../utils/clock.ts'
import { startDeadline } from '../utils/deadline.ts'
import { ModelNetError, toModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import { silentLogger } from '../utils/logger.ts'
import type { Random } from '../utils/random.ts'
import { createRandom } from '../utils/random.ts'
import { createAnswerCache } from './answer-cache.ts'
import { choosePathway } from './choice.ts'
import { missingIn } from './missing.ts'
import { isDeadline } from './pathway/context.ts'
import { Ledger } from './pathway/ledger.ts'
import type { Answer, AnswerCache, Board, Failover, PathwayContext, PathwayEvent } from './pathway/path.ts'
import type { Term } from './pathway/term.ts'
import type { Strategy, Vocabulary } from './pathway/vocabulary.ts'
import type { ReadPathway } from './read-pathway.ts'
import { readPathway } from './read-pathway.ts'
import type { AskResult } from './result.ts'
import { membersFrom, usageOf } from './result.ts'
import { defaultVocabulary } from './strategies/index.ts'
import type { Trace, TraceRecorder } from './trace.ts'
import { createTraceRecorder, recordedCalls } from './trace.ts'

export interface CoordinatorComponents {
  readonly matcher: Matcher
  readonly abilities: CapabilityMap
  readonly analyser: TaskAnalyser
  /** Analyses with the help of a model, where a pathway is to be chosen. @default by the analyser alone */
  readonly refine?: (task: Task, signal?: AbortSignal) => Promise<Analysis>
  readonly failover: Failover
  readonly clock: Clock
  readonly random: Random
  readonly logger?: Logger
  /** @default every rule, condition and strategy that ships */
  readonly vocabulary?: Vocabulary
  /** @default in memory, for `cached` */
  readonly cache?: AnswerCache
}

export interface AskOptions {
  /** Text form, JSON, a term, or the name of a strategy; it always wins over the choice. @default 'auto' */
  readonly pathway?: string | Term
  readonly signal?: AbortSignal
}

/** Answers tasks with the network: chooses a pathway, or takes the one it is given, runs it and explains it. */
export interface Coordinator {
  /** Tells what happens while it happens and returns the result. Throws a ModelNetError when there is no answer. */
  ask(task: Task, options?: AskOptions): AsyncGenerator<PathwayEvent, AskResult>
  /** The same run again from its trace, with the recorded answers: same text, nobody is asked. */
  replay(trace: Trace): AsyncGenerator<PathwayEvent, AskResult>
  /** What a pathway costs at most and what it needs, without running it. Throws INVALID_PATHWAY. */
  inspect(
    pathway: string | Term,
  ): Pick<ReadPathway, 'term' | 'text'> & { readonly bound: ReturnType<ReadPathway['path']['bound']> }
  readonly strategies: readonly Strategy[]
}

/** The name that asks for the automatic choice. */
export const AUTO = 'auto'

export function createCoordinator(components: CoordinatorComponents): Coordinator {
  const { matcher, analyser, clock, random, logger = silentLogger } = components
  const { vocabulary = defaultVocabulary(), cache = createAnswerCache(clock) } = components

  function choose(task: Task, analysis: Analysis, pathway: string | Term): ReadPathway & { why: string } {
    if (pathway === AUTO) {
      const { term, why } = choosePathway(task, analysis, matcher)
      return { ...readPathway(term, vocabulary), why }
    }
    const read = readPathway(pathway, vocabulary)
    const missing = missingIn(read.term, task, analysis, matcher, vocabulary)
    if (missing) throw missing
    return { ...read, why: 'the request asks for this pathway' }
  }

  async function* ask(task: Task, options: AskOptions = {}): AsyncGenerator<PathwayEvent, AskResult> {
    const { signal, pathway = AUTO } = options
    signal?.throwIfAborted()
    const { refine } = components
    const analysis = refine && pathway === AUTO ? await refine(task, signal) : analyser.analyse(task)
    const chosen = choose(task, analysis, pathway)
    const seed = task.options.seed === undefined ? `${task.id} ${random.next()}` : `${task.id} ${task.options.seed}`
    return yield* run({ task, analysis, chosen, seed, ...(signal ? { signal } : {}) })
  }

  async function* replay(trace: Trace): AsyncGenerator<PathwayEvent, AskResult> {
    const { task, analysis, seed } = trace
    const chosen = { ...readPathway(trace.term, vocabulary), why: trace.why }
    const { deadlineMs: _deadline, ...budget } = task.budget // time that passed then does not pass now
    return yield* run({ task: { ...task, budget }, analysis, chosen, seed, from: trace })
  }

  async function* run(plan: Run): AsyncGenerator<PathwayEvent, AskResult> {
    const { task, analysis, chosen, seed, from } = plan
    const started = clock.monotonic()
    const { deadlineMs } = task.budget
    const deadline = startDeadline(clock, {
      ...(plan.signal ? { signal: plan.signal } : {}),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    })
    setMaxListeners(0, deadline.signal) // every branch of a pathway listens
    const recorder = createTraceRecorder(
      { startedAt: clock.now(), task, analysis, term: chosen.term, pathway: chosen.text, why: chosen.why, seed },
      () => clock.monotonic(),
    )
    const context: PathwayContext = {
      matcher,
      abilities: recordingAbilities(components.abilities, recorder, from),
      clock,
      random: createRandom(seed),
      signal: deadline.signal,
      logger,
      ledger: new Ledger(task.budget, clock),
      failover: components.failover,
      scope: '0',
      visible: true,
      cache: from ? NO_CACHE : cache,
      ...(from ? { recorded: recordedCalls(from) } : {}),
    }
    const view = new View()
    const tell = (event: PathwayEvent): PathwayEvent => {
      recorder.record(event)
      view.see(event)
      return event
    }
    try {
      const given = task.options.maxTokens === undefined ? {} : { maxTokens: task.options.maxTokens }
      const bound = chosen.path.bound(given)
      yield tell({ type: 'pathway-start', pathway: chosen.text, why: chosen.why, bound })
      const board: Board = { task, analysis, answers: [], notes: {} }
      const steps = chosen.path.run(board, context)
      let answer: Answer
      try {
        let step = await steps.next()
        for (; !step.done; step = await steps.next()) yield tell(step.value)
        answer = finalOf(step.value)
      } catch (cause) {
        const partial = view.partial(cause)
        if (!partial) throw cause
        yield tell({
          type: 'note',
          stage: '0',
          message: `cut off, what was written stands: ${toModelNetError(cause).message}`,
        })
        answer = partial
      } finally {
        await steps.return(undefined as never) // frees what still runs when the reader stops early
      }
      for (const event of view.complete(answer.text)) yield tell(event)
      const { spent } = context.ledger
      return {
        text: answer.text,
        finish: answer.finish ?? 'stop',
        pathway: chosen.text,
        why: chosen.why,
        members: membersFrom(view.ended, answer.text, analysis.format),
        usage: usageOf(view.ended),
        ms: clock.monotonic() - started,
        cost: spent.cost,
        ...(answer.confidence === undefined ? {} : { confidence: answer.confidence }),
        trace: recorder.finish(answer.text),
      }
    } catch (cause) {
      const error = toModelNetError(deadline.signal.aborted && !plan.signal?.aborted ? deadline.signal.reason : cause)
      logger.debug({ code: error.code, pathway: chosen.text }, 'no answer')
      throw error
    } finally {
      deadline.dispose()
    }
  }

  return {
    ask,
    replay,
    inspect(pathway) {
      const { term, text, path } = readPathway(pathway, vocabulary)
      return { term, text, bound: path.bound() }
    },
    strategies: [...vocabulary.strategies.values()],
  }
}

interface Run {
  readonly task: Task
  readonly analysis: Analysis
  readonly chosen: ReadPathway & { readonly why: string }
  readonly seed: string
  readonly signal?: AbortSignal
  readonly from?: Trace
}

/** What a reader of the stream has seen so far. */
class View {
  readonly ended: Extract<PathwayEvent, { type: 'call-end' }>[] = []
  #streamed = ''

  see(event: PathwayEvent): void {
    if (event.type === 'text-delta') this.#streamed += event.text
    else if (event.type === 'text-reset') this.#streamed = ''
    else if (event.type === 'call-end') this.ended.push(event)
  }

  /** At the deadline, what the user already reads is better than nothing. */
  partial(cause: unknown): Answer | undefined {
    if (!isDeadline(cause) || this.#streamed.trim() === '') return undefined
    const usage = { promptTokens: 0, completionTokens: 0 }
    return { text: this.#streamed, by: 'cut off', usage, finish: 'length' }
  }

  /** What must still be streamed so that the reader has exactly the text. */
  *complete(text: string): Generator<PathwayEvent> {
    if (this.#streamed === text) return
    if (text.startsWith(this.#streamed)) yield { type: 'text-delta', text: text.slice(this.#streamed.length) }
    else {
      yield { type: 'text-reset', why: 'another answer was kept in the end' }
      yield { type: 'text-delta', text }
    }
  }
}

function finalOf(board: Board): Answer {
  const [answer] = board.answers
  if (!answer) throw new ModelNetError('NO_CANDIDATE', 'the pathway ended without an answer')
  return answer
}

/** Abilities as they were when they were asked: kept in the trace, and taken from it in a replay. */
function recordingAbilities(abilities: CapabilityMap, recorder: TraceRecorder, from: Trace | undefined): CapabilityMap {
  return {
    ability(model, tag) {
      const ability = from?.abilities[`${tag} ${model}`] ?? abilities.ability(model, tag)
      recorder.ability(model, tag, ability)
      return ability
    },
    observe: evidence => {
      if (!from) abilities.observe(evidence)
    },
  }
}

const NO_CACHE: AnswerCache = { get: () => undefined, set: () => undefined }
