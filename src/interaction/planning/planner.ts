import type { ChatMessage } from '../../protocol/index.ts'
import { fence } from '../fence.ts'
import type { Board, PathwayContext, PathwayEvent } from '../pathway/path.ts'
import { resolve } from '../pathway/resolve.ts'
import { runCall } from '../pathway/run-call.ts'
import { questionOf } from '../prompts.ts'
import type { Plan } from './plan.ts'
import { PLAN_JSON_SCHEMA, parsePlan } from './plan.ts'

/** A model with this tag takes the bare question and answers with lines; any other is told what a plan is. */
export const PLANNING_TAG = 'skill:planning'

/** Asks a planner for a plan. `problem` is what was wrong with its last one. Throws INVALID_PATHWAY for a bad plan. */
export async function* askPlanner(
  reference: string,
  problem: string | undefined,
  board: Board,
  context: PathwayContext,
): AsyncGenerator<PathwayEvent, Plan> {
  const planner = resolve({ reference }, board, context.matcher)[0]
  const trained = planner?.model.card.tags.includes(PLANNING_TAG) ?? false
  const question = questionOf(board.task.messages)
  const answer = yield* runCall(
    {
      reference,
      messages: trained
        ? [{ role: 'user', content: question }]
        : instructions(question, skillsOf(board, context), problem, context),
      options: trained
        ? problem === undefined
          ? {}
          : { temperature: 0.7, seed: 1 } // the same question again would give the same plan again
        : { jsonSchema: PLAN_JSON_SCHEMA },
      why: problem === undefined ? 'plans the question' : 'plans again',
    },
    board,
    context,
  )
  const plan = parsePlan(answer.text)
  yield {
    type: 'note',
    stage: context.scope,
    message: `plan of ${plan.length} steps by ${answer.by}`,
    facts: { steps: plan.map(({ id, skill, question: asked }) => ({ id, skill, question: asked })) },
  }
  return plan
}

/** Skills that somebody offers now. */
function skillsOf(board: Board, context: PathwayContext): readonly string[] {
  const live = context.matcher.candidates({ kind: 'any' }, board.analysis.tags)
  const skills = live
    .flatMap(({ model }) => model.card.tags)
    .filter(tag => tag.startsWith('skill:') && tag !== PLANNING_TAG)
  return [...new Set(skills.map(tag => tag.slice('skill:'.length)))].sort()
}

function instructions(
  question: string,
  skills: readonly string[],
  problem: string | undefined,
  context: PathwayContext,
): readonly ChatMessage[] {
  const again = problem === undefined ? '' : `\nYour last plan could not be used: ${problem}`
  return [
    {
      role: 'system',
      content: `Split the question into the fewest steps that one specialist each can answer. Skills: ${skills.join(', ')}. Answer only with JSON {"steps":[{"id":"1","skill":"…","question":"…"}]}. A step uses the answer of step 1 by writing $1 in its question. Each question stands alone: the specialist sees nothing else. The last step answers the whole question.${again}`,
    },
    { role: 'user', content: fence(question, 'the user', context.random) },
  ]
}
