import { toModelNetError } from '../../utils/errors.ts'
import { canReview } from '../judging/abilities.ts'
import { askVerdict } from '../judging/judges.ts'
import { together } from '../judging/together.ts'
import { oneCall, serial, times } from '../pathway/bounds.ts'
import { isUnwanted, partOf, withAnswers } from '../pathway/context.ts'
import type { Answer, Board, Path, PathwayContext, PathwayEvent } from '../pathway/path.ts'
import { callPath } from '../pathway/paths/call.ts'
import { modelOf } from '../pathway/resolve.ts'
import type { GraphStore } from './graph-store.ts'

export interface DynamicOptions {
  /** Who answers first. */
  readonly start: string
  /** Hops at most. @default 3, the paper's alpha */
  readonly hops?: number
  /** Probability that an uncertain helper (C') is asked too. @default 0.1 */
  readonly explore?: number
  /** Judges when nothing is known of who can help whom. @default 2 */
  readonly strangers?: number
}

/** One answer on the way, and what its judges said. */
interface Stop {
  readonly answer: Answer
  /** Share of judges who approved, of those who said anything. */
  readonly approval: number
}

/**
 * Dynamic collaborative routing: the helpers of whoever answered judge the answer at the same time; nobody objecting
 * ends it; else one who objects rewrites, and its own helpers judge that. Models may be visited again. We differ from
 * the paper in choosing the objector whose rewritings held most often, not one at random, and in keeping the answer
 * with most approval, so that no hop can lose a good one.
 */
export function dynamicPath(options: DynamicOptions, store: GraphStore): Path {
  const { start, hops = 3, explore = 0.1, strangers = 2 } = options
  return {
    kind: 'dynamic',
    bound(given = {}) {
      const judges = Math.max(strangers, ...Object.values(store.graph().helpers).map(list => list.length + 1))
      const round = { ...times(judges, oneCall('*', given)), depth: 1 }
      return {
        ...serial([
          oneCall(start, given),
          ...Array.from({ length: hops + 1 }, () => round),
          times(hops, oneCall('*', given)),
        ]),
        answers: 1,
      }
    },
    async *run(board, context) {
      const first = yield* firstAnswer(start, board, context)
      let current = first.answers[0] as Answer // a call gives one answer
      const stops: Stop[] = []
      for (let hop = 0; ; hop++) {
        try {
          const { approval, objectors, judged } = yield* judge(
            current,
            board,
            partOf(context, `v${hop}`),
            store,
            explore,
            strangers,
          )
          stops.push({ answer: current, approval })
          const before = stops.at(-2)
          // what nobody judged has not held
          if (before && judged > 0)
            store.observeRepair(modelOf(current.by), modelOf(before.answer.by), objectors.length === 0)
          if (objectors.length === 0 || hop >= hops) break
          const author = modelOf(current.by)
          const ranked = objectors.toSorted(
            (a, b) => store.repairRate(modelOf(b), author) - store.repairRate(modelOf(a), author),
          )
          const helper = ranked[0] as string // there is an objector
          yield {
            type: 'note',
            stage: context.scope,
            message: `hop ${hop + 1}: ${helper} objects and rewrites`,
            facts: { hop: hop + 1, helper },
          }
          const rewritten = yield* callPath({ call: helper, role: 'revise' }).run(
            withAnswers(board, [current]),
            partOf(context, `h${hop + 1}`, { visible: false }),
          )
          current = rewritten.answers[0] ?? current
        } catch (cause) {
          if (isUnwanted(context)) throw cause
          yield {
            type: 'note',
            stage: context.scope,
            message: `hop ${hop} left out, the best answer so far is kept: ${toModelNetError(cause).message}`,
          }
          if (stops.length === 0) stops.push({ answer: current, approval: 0 })
          break
        }
      }
      const best = stops.reduce((a, b) => (b.approval > a.approval ? b : a))
      yield {
        type: 'note',
        stage: context.scope,
        message: `${stops.length - 1} hops, answer of ${best.answer.by}`,
        facts: { hops: stops.length - 1, approval: best.approval },
      }
      return withAnswers(board, [{ ...best.answer, confidence: best.approval }])
    },
  }
}

/** The first answer; of whoever is best where the one that was to begin is lost. */
async function* firstAnswer(start: string, board: Board, context: PathwayContext): AsyncGenerator<PathwayEvent, Board> {
  try {
    return yield* callPath({ call: start }).run(board, partOf(context, 'h0', { visible: false }))
  } catch (cause) {
    const live = context.matcher.candidates({ kind: 'any' }, board.analysis.tags).map(({ model }) => model.card.id)
    const other = live.find(id => id !== modelOf(start))
    if (context.signal.aborted || start === '*' || other === undefined) throw cause
    const message = `${start} is lost, ${other} begins: ${toModelNetError(cause).message}`
    yield { type: 'note', stage: context.scope, message }
    return yield* callPath({ call: other }).run(board, partOf(context, 'h0b', { visible: false }))
  }
}

async function* judge(
  answer: Answer,
  board: Board,
  context: PathwayContext,
  store: GraphStore,
  explore: number,
  strangers: number,
): AsyncGenerator<PathwayEvent, { approval: number; objectors: readonly string[]; judged: number }> {
  const author = modelOf(answer.by)
  const judges = judgesOf(author, board, context, store, explore, strangers)
  const verdicts = yield* together(
    judges.map(reference => (part: PathwayContext) => askVerdict({ reference }, answer, board, part)),
    board,
    context,
  )
  const said = verdicts.filter(each => each?.verdict !== undefined)
  for (const each of said) if (each) store.observe(modelOf(each.by), author, each.verdict === 'yes' ? 3 : 1)
  const objectors = said.flatMap(each => (each?.verdict === 'no' ? [each.by] : []))
  const approval = said.length === 0 ? 0.5 : 1 - objectors.length / said.length
  return { approval, objectors, judged: said.length }
}

/** C of the author, now and then one of C'; the best other models where the graph says nothing of the author. */
function judgesOf(
  author: string,
  board: Board,
  context: PathwayContext,
  store: GraphStore,
  explore: number,
  strangers: number,
): readonly string[] {
  const able = context.matcher.candidates({ kind: 'any' }, board.analysis.tags).filter(canReview(board.analysis))
  const live = able.map(({ model }) => model.card.id)
  const others = [...new Set(live)].filter(id => id !== author)
  if (!store.covers([author, ...others])) return others.slice(0, strangers)
  const { helpers, uncertain } = store.graph()
  const known = helpers[author] ?? []
  const extra = context.random.next() < explore ? (uncertain[author] ?? []).slice(0, 1) : []
  return [...known, ...extra].filter(id => others.includes(id))
}
