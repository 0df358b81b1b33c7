import { isErrorCode, ModelNetError } from '../../utils/errors.ts'
import { withAnswers } from './context.ts'
import type { Answer, Board, PathwayContext, PathwayEvent, RecordedCall } from './path.ts'

/** A call as it went in a recorded run. Throws the recorded failure, or NOT_FOUND when the run did not come here. */
export async function* replayCall(
  why: string,
  context: PathwayContext,
  recorded: ReadonlyMap<string, RecordedCall>,
): AsyncGenerator<PathwayEvent, Answer> {
  const call = recorded.get(context.scope)
  if (!call) throw new ModelNetError('NOT_FOUND', `the recorded run has no call ${context.scope}`)
  if ('code' in call) {
    // what stopped it then stops it now; only then is it known that it was not needed
    if (call.stopped) await untilAborted(context.signal)
    if (context.visible && call.text) yield { type: 'text-delta', text: call.text }
    yield { type: 'call-fail', call: context.scope, ...call }
    throw new ModelNetError(isErrorCode(call.code) ? call.code : 'INTERNAL', call.message)
  }
  const { answer, model, node, ms, cost } = call
  yield { type: 'call-start', call: context.scope, model, node, why }
  if (context.visible && answer.text !== '') yield { type: 'text-delta', text: answer.text }
  yield { type: 'call-end', call: context.scope, model, node, ms, cost, answer }
  return answer
}

/** Under which a note keeps the answer that was taken from memory. */
export const REMEMBERED = 'remembered'

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** A joint text as it went in a recorded run: its members stand at `scope.m0`, `scope.m1`, … */
export async function* replayJoint(
  board: Board,
  members: number,
  context: PathwayContext,
  recorded: ReadonlyMap<string, RecordedCall>,
): AsyncGenerator<PathwayEvent, Board> {
  const answers: Answer[] = []
  for (let index = 0; index < members; index++) {
    const scope = `${context.scope}.m${index}`
    const call = recorded.get(scope)
    if (!call) continue
    if ('code' in call && call.text && context.visible) yield { type: 'text-delta', text: call.text }
    answers.push(yield* replayCall('writes jointly', { ...context, scope, visible: false }, recorded))
  }
  const [first] = answers
  if (!first) throw new ModelNetError('NOT_FOUND', `the recorded run has no call ${context.scope}`)
  if (context.visible) yield { type: 'text-delta', text: first.text }
  return withAnswers(board, [{ ...first, by: answers.map(({ by }) => by).join(' + ') }])
}
