import { refineTags } from '../../../service/index.ts'
import { isModelNetError, ModelNetError, toModelNetError } from '../../../utils/errors.ts'
import { finalAnswer, sanitizeAnswer } from '../../answers/sub-answer.ts'
import type { Plan, Step } from '../../planning/plan.ts'
import { depthOf, fillIn, MAX_STEPS, sinksOf } from '../../planning/plan.ts'
import { askPlanner, PLANNING_TAG } from '../../planning/planner.ts'
import { questionOf } from '../../prompts.ts'
import { oneCall, serial, times } from '../bounds.ts'
import { isUnwanted, partOf, withAnswers } from '../context.ts'
import { runBranches } from '../merge.ts'
import type { Answer, Board, Path, PathwayContext, PathwayEvent } from '../path.ts'
import { runCall } from '../run-call.ts'
import { closeSpecialists } from '../specialists.ts'

export interface PlanOptions {
  /** Who writes up several last answers. @default they are listed */
  readonly join?: string
  /** Asks so many models of one skill at once, where none is known to be the better one. */
  readonly together: (reference: string, count: number) => Path
}

/** Calls of planner and subtasks together: twelve steps, some asked twice, one new plan. */
const MAX_CALLS = 3 * MAX_STEPS + 2

/** Another plan finds nobody and nothing to spend either. */
const FINAL: ReadonlySet<string> = new Set(['NO_CANDIDATE', 'MODEL_NOT_FOUND', 'BUDGET_EXCEEDED'])

/**
 * Splits a composite question into a graph of subtasks by a planner, runs every subtask as soon as what it needs is
 * there, and joins the answers. A subtask sees its own question and the answers it names, nothing else of the
 * conversation. A simple question, a planner that is not there, or two plans in a row that fail: the other path answers.
 */
export function planPath(planner: string, direct: Path, options: PlanOptions): Path {
  const { join, together } = options
  return {
    kind: 'plan',
    bound(given = {}) {
      const planned = { ...times(MAX_CALLS, oneCall(planner, given)), depth: MAX_STEPS + 2 }
      const joined = join === undefined ? [] : [oneCall(join, given)]
      return { ...serial([planned, ...joined, direct.bound(given)]), answers: 1 }
    },
    async *run(board, context) {
      if (!board.analysis.composite) {
        yield { type: 'note', stage: context.scope, message: 'the question has one part: planning does not pay' }
        return yield* direct.run(unplanned(board), partOf(context, 'direct'))
      }
      const part = partOf(context, 'plan', { visible: false, ledger: context.ledger.child({ calls: MAX_CALLS }) })
      let problem: string | undefined
      for (const attempt of [1, 2]) {
        try {
          const plan = yield* askPlanner(planner, problem, board, partOf(part, `p${attempt}`))
          const [only] = plan
          if (plan.length === 1 && only) return yield* askSkill(only, board, partOf(context, 'one'))
          const answers = yield* runSteps(plan, together, board, partOf(part, `s${attempt}`))
          return yield* joinAnswers(plan, answers, join, board, context)
        } catch (cause) {
          if (isUnwanted(context) || context.ledger.remainingMs() <= 0) throw cause
          const { code, message } = toModelNetError(cause)
          problem = message
          yield { type: 'note', stage: part.scope, message: `attempt ${attempt}: ${message}`, facts: { code } }
          if (FINAL.has(code)) break
        }
      }
      yield { type: 'note', stage: context.scope, message: 'the question is answered without a plan' }
      return yield* direct.run(unplanned(board), partOf(context, 'direct'))
    },
  }
}

/** The board for those who answer without a plan: a planner plans, it does not answer. */
const unplanned = (board: Board): Board => {
  const tags = board.analysis.tags.filter(({ tag }) => tag !== PLANNING_TAG)
  return {
    ...board,
    analysis: { ...board.analysis, composite: false, tags: tags.length > 0 ? tags : board.analysis.tags },
  }
}

/** A plan of one step says only who should answer: the question itself goes there. */
async function* askSkill({ skill }: Step, board: Board, context: PathwayContext): AsyncGenerator<PathwayEvent, Board> {
  const request = { reference: `@${skill}`, messages: board.task.messages, why: `the question has one part: ${skill}` }
  return withAnswers(board, [yield* runCall(request, unplanned(board), context)])
}

/** All steps at once; each first waits for the steps it needs. */
async function* runSteps(
  plan: Plan,
  together: PlanOptions['together'],
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, ReadonlyMap<string, Answer>> {
  const done = new Map(plan.map(step => [step.id, deferred<Answer>()]))
  yield { type: 'note', stage: context.scope, message: `${plan.length} steps, ${depthOf(plan)} deep` }
  let waiting = plan.length
  // a step takes its share of what is left when it starts: what earlier ones did not use is there for later ones
  const shared = (part: PathwayContext): PathwayContext => ({ ...part, ledger: context.ledger.share(waiting--) })
  const branches = plan.map(
    step => (signal: AbortSignal) => runStep(step, done, together, shared, board, partOf(context, step.id, { signal })),
  )
  const outcomes = yield* runBranches(branches, context.signal, ended =>
    ended.some(outcome => outcome && 'error' in outcome),
  )
  const failed = outcomes.find(outcome => outcome && 'error' in outcome)
  if (failed && 'error' in failed) throw failed.error
  if (context.signal.aborted) throw context.signal.reason
  const answers = new Map<string, Answer>()
  for (const [index, outcome] of outcomes.entries()) {
    const answer = outcome && 'board' in outcome ? outcome.board.answers[0] : undefined
    const step = plan[index]
    if (answer && step) answers.set(step.id, answer)
  }
  return answers
}

async function* runStep(
  step: Step,
  done: ReadonlyMap<string, Deferred<Answer>>,
  together: PlanOptions['together'],
  shared: (part: PathwayContext) => PathwayContext,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Board> {
  const inputs = new Map<string, string>()
  let tainted = false
  for (const need of step.needs) {
    const answer = await done.get(need)?.promise
    context.signal.throwIfAborted()
    if (!answer) continue
    inputs.set(need, sanitizeAnswer(answer.text))
    tainted = true
  }
  const question = fillIn(step, inputs)
  const { stop: _stop, jsonSchema: _schema, ...options } = board.task.options
  const sub: Board = {
    task: { ...board.task, messages: [{ role: 'user', content: question }], options },
    analysis: {
      ...board.analysis,
      tags: refineTags([{ tag: `skill:${step.skill}`, probability: 1 }], question),
      composite: false,
      format: 'text',
    },
    answers: [],
    notes: {},
  }
  yield { type: 'note', stage: context.scope, message: `step ${step.id}, ${step.skill}: ${question}` }
  const answer = yield* askStep(step, sub, together, tainted, shared(context))
  if (finalAnswer(answer.text) === '')
    throw new ModelNetError('ENGINE_FAILED', `step ${step.id} (${step.skill}) gave no answer`)
  done.get(step.id)?.resolve(answer)
  return withAnswers(sub, [answer])
}

/** The specialist of a step; several where none is known to be better; anyone where nobody has the skill. */
async function* askStep(
  step: Step,
  board: Board,
  together: PlanOptions['together'],
  tainted: boolean,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Answer> {
  const reference = `@${step.skill}`
  const { messages, options } = board.task
  const request = { messages, options, tainted, why: `step ${step.id}: ${questionOf(messages)}` }
  try {
    const close = closeSpecialists(reference, board.analysis, context.matcher)
    if (close.length > 1) {
      const { answers } = yield* together(reference, close.length).run(board, context)
      if (answers[0]) return { ...answers[0], ...(tainted ? { tainted } : {}) }
    }
    return yield* runCall({ ...request, reference }, board, context)
  } catch (cause) {
    // nobody has the skill as the planner calls it: whoever suits the question best
    if (!(isModelNetError(cause) && cause.code === 'NO_CANDIDATE') || isUnwanted(context)) throw cause
    return yield* runCall({ ...request, reference: '*' }, board, partOf(context, 'any'))
  }
}

/** One last step answers alone; several are listed, or written up by a model. */
async function* joinAnswers(
  plan: Plan,
  answers: ReadonlyMap<string, Answer>,
  join: string | undefined,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Board> {
  const sinks = sinksOf(plan)
  const last = sinks.flatMap(({ id }) => answers.get(id) ?? [])
  const notes = { ...board.notes, ...Object.fromEntries([...answers].map(([id, { text }]) => [id, finalAnswer(text)])) }
  const spent = [...answers.values()].reduce(
    (sum, { usage }) => ({
      promptTokens: sum.promptTokens + usage.promptTokens,
      completionTokens: sum.completionTokens + usage.completionTokens,
    }),
    { promptTokens: 0, completionTokens: 0 },
  )
  const [only] = last
  if (join !== undefined) {
    const told = sinks.map(
      ({ id, question }) =>
        `${fillIn({ id, question, skill: '', needs: [] }, new Map(Object.entries(notes)))}\n${sanitizeAnswer(answers.get(id)?.text ?? '')}`,
    )
    const content = `${board.task.messages.at(-1)?.content ?? ''}\n\nThe parts were answered like this:\n${told.join('\n')}\n\nWrite the answer to the question from these parts only.`
    const written = yield* runCall(
      { reference: join, messages: [{ role: 'user', content }], why: 'joins the answers of the parts', tainted: true },
      board,
      partOf(context, 'join', { visible: context.visible }),
    )
    return { ...withAnswers(board, [written]), notes }
  }
  if (last.length === 1 && only)
    return { ...withAnswers(board, [{ ...only, text: finalAnswer(only.text), usage: spent }]), notes }
  const text = last.map((answer, index) => `${index + 1}. ${finalAnswer(answer.text)}`).join('\n')
  return {
    ...withAnswers(board, [{ text, by: [...new Set(last.map(({ by }) => by))].join(' + '), usage: spent }]),
    notes,
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}
