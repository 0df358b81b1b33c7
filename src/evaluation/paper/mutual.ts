import { createRandom } from '../../utils/random.ts'
import { withoutSteps } from '../graders/final-answer.ts'
import { graderOf } from '../graders.ts'
import type { Question } from '../question.ts'
import type { Block } from '../report/document.ts'
import { percent, percentWithInterval } from '../report/format.ts'
import { questionSeed } from '../run.ts'
import { mean, wilson } from '../statistics.ts'
import { rowsOf } from '../summary.ts'
import type { System } from '../system.ts'
import {
  allQuestions,
  type ExperimentOptions,
  type ExperimentResult,
  type PaperBench,
  pathwaySystem,
  type QuestionSet,
  rowsOnSet,
  runPart,
  shareRight,
} from './bench.ts'
import { collaborationGraph } from './collaboration-graph.ts'
import { singleSystems } from './duetnet-systems.ts'
import { reference } from './terms.ts'

export interface MutualOptions extends ExperimentOptions {
  readonly members: readonly string[]
  /** The mutual evaluation and the routes use disjoint questions. */
  readonly gradingSets: readonly QuestionSet[]
  readonly sets: readonly QuestionSet[]
  /** A model trained to review, which then also reviews what each member answers. @default none */
  readonly reviewer?: string
  /** alpha. @default 3 */
  readonly maxHops?: number
}

/** Grades, best first, with their scores as in the paper. */
const SCORE = { A: 3, B: 2, C: 1 } as const
type Letter = keyof typeof SCORE
/** How much less likely, in nats per byte, a grader may find an answer than its own: up to the first an A, to the second a B. */
const LIKELY = { A: 0.5, B: 1.5 }

/** Table of results, CaLM Lite %: routes proposed and not, the best single model 61.1. */
const PUBLISHED = 'Published (CaLM Lite): Route1 61.7, Route2 60.9, Route3 54.6, Route4 55.0; best single 61.1.'

/**
 * Mutual evaluation and dynamic collaborative routing. Models of this size cannot follow a grading prompt, so a grader
 * compares how likely it finds the other's final answer with how likely it finds its own (A, B or C by the difference);
 * a C is a disapproval, and the one who rewrites gives its own answer. Everything after the grades is the paper's
 * algorithm. Routes start at each member in turn.
 */
export async function mutualEvaluation(bench: PaperBench, options: MutualOptions): Promise<ExperimentResult> {
  const { members, gradingSets, sets, reviewer, maxHops = 3, seed = 1 } = options
  const graded = await runPart('mutual-grading', singleSystems(bench, members), allQuestions(gradingSets), options)
  const scores: Record<string, Record<string, number>> = {}
  for (const grader of members) {
    scores[grader] = {}
    for (const model of members.filter(other => other !== grader)) {
      const grades: number[] = []
      for (const [index, question] of graded.questions.entries()) {
        const [own, theirs] = [grader, model].map(name => rowsOf(graded, name)[index]?.text ?? '')
        grades.push(SCORE[await gradeOf(bench, grader, question, own ?? '', theirs ?? '', options.signal)])
      }
      scores[grader][model] = mean(grades)
    }
  }
  const graph = collaborationGraph(scores)
  const routes = members.map(first => dynamicRoute(bench, first, graph.collaborators, { maxHops, seed }))
  const reviewed = reviewer === undefined ? [] : members.map(member => reviewedSystem(bench, member, reviewer))
  const systems = [...singleSystems(bench, members), ...routes, ...reviewed]
  const evaluation = await runPart('mutual', systems, allQuestions(sets), options)
  const rows = members.map((member, index) => {
    const [single, route] = [rowsOf(evaluation, member), rowsOf(evaluation, routes[index]?.name ?? '')]
    const mix = Array.from(
      { length: maxHops + 1 },
      (_, count) =>
        route.filter(row => row.verdict === 'right' && hopsOf(row) === count).length / Math.max(1, route.length),
    )
    return {
      member,
      single: shareRight(single),
      route: wilson(route.filter(row => row.verdict === 'right').length, route.length),
      bySet: sets.map(set => ({
        set: set.name,
        alone: shareRight(rowsOnSet(evaluation, member, set.name)),
        ...(reviewer === undefined
          ? {}
          : { reviewed: shareRight(rowsOnSet(evaluation, reviewedName(member), set.name)) }),
      })),
      calls: route.reduce((sum, row) => sum + row.calls, 0) / Math.max(1, route.length),
      mix,
    }
  })
  return {
    name: 'mutual',
    title: 'Mutual evaluation and dynamic collaborative routing',
    figures: { scores, graph, rows },
    blocks: [
      {
        kind: 'text',
        text: `A grader compares how likely it finds another's final answer with its own (A up to ${LIKELY.A}, B up to ${LIKELY.B} nats per byte less), since models of this size do not follow grading prompts; the graph and the routing are the paper's with d1 = d2 = 50 %, at most ${maxHops} hops. ${PUBLISHED}`,
      },
      {
        kind: 'table',
        caption: 'Mean score given by the row to the column, the standing that follows, and who may improve it (C)',
        table: {
          head: ['grader', ...members, 'standing', 'C'],
          rows: members.map(grader => [
            grader,
            ...members.map(model => scores[grader]?.[model]?.toFixed(2) ?? ''),
            graph.standing[grader] ?? '',
            graph.collaborators[grader]?.join(', ') || '–',
          ]),
        },
      },
      {
        kind: 'table',
        caption: 'Routes from each first hop, and the share of all answers that are right by number of hops',
        table: {
          head: [
            'first hop',
            'alone %',
            'route % [95 %]',
            'calls',
            ...Array.from({ length: maxHops + 1 }, (_, count) => `${count} hops`),
          ],
          rows: rows.map(row => [
            row.member,
            percent(row.single),
            percentWithInterval(row.route),
            row.calls.toFixed(2),
            ...row.mix.map(percent),
          ]),
        },
      },
      ...(reviewer === undefined ? [] : [reviewTable(reviewer, sets, rows)]),
    ],
  }
}

const reviewedName = (member: string): string => `${member} reviewed`

/** The product's own form of a review: the answer stays, or the reviewer's correction takes its place. */
const reviewedSystem = (bench: PaperBench, member: string, reviewer: string): System =>
  pathwaySystem(bench, reviewedName(member), `${reference(member)} > ${reference(reviewer)}`)

const reviewTable = (
  reviewer: string,
  sets: readonly QuestionSet[],
  rows: readonly {
    readonly member: string
    readonly bySet: readonly { readonly alone: number; readonly reviewed?: number }[]
  }[],
): Block => ({
  kind: 'table',
  caption: `A model trained to review (${reviewer}) after each member, % right alone / reviewed; it knows sums, some units and words`,
  table: {
    head: ['member', ...sets.map(set => `${set.name} (${set.questions.length})`)],
    rows: rows.map(({ member, bySet }) => [
      member,
      ...bySet.map(({ alone, reviewed = Number.NaN }) => `${percent(alone)} / ${percent(reviewed)}`),
    ]),
  },
})

/** Section 6.3: ask the first model; while a collaborator disapproves and hops are left, one of them rewrites. */
function dynamicRoute(
  bench: PaperBench,
  first: string,
  collaborators: Readonly<Record<string, readonly string[]>>,
  { maxHops, seed }: { readonly maxHops: number; readonly seed: number },
): System {
  return {
    name: `route from ${first}`,
    async answer(question, options = {}) {
      const random = createRandom(questionSeed(seed, question.id)).fork(first)
      const started = performance.now()
      let current = first
      let answer = await bench.ask(reference(first), question, options)
      const total = {
        promptTokens: answer.usage.promptTokens,
        completionTokens: answer.usage.completionTokens,
        calls: 1,
        hops: 0,
      }
      while (total.hops < maxHops) {
        const judges = await Promise.all(
          (collaborators[current] ?? []).map(async judge => ({
            judge,
            own: await bench.ask(reference(judge), question, options),
          })),
        )
        for (const { own } of judges) {
          total.promptTokens += own.usage.promptTokens
          total.completionTokens += own.usage.completionTokens
          total.calls++
        }
        const grades = await Promise.all(
          judges.map(({ judge, own }) => gradeOf(bench, judge, question, own.text, answer.text, options.signal)),
        )
        const against = judges.filter((_, index) => grades[index] === 'C')
        const next = against[Math.floor(random.next() * against.length)]
        if (!next) break
        answer = next.own
        current = next.judge
        total.hops++
      }
      const { hops, calls, ...usage } = total
      return { text: answer.text, usage, ms: performance.now() - started, calls, hops }
    },
  }
}

const hopsOf = (row: object): number => ('hops' in row && typeof row.hops === 'number' ? row.hops : 0)

/** A grader's letter for an answer, from its own answer and its own probabilities. */
async function gradeOf(
  bench: PaperBench,
  grader: string,
  question: Question,
  own: string,
  theirs: string,
  signal?: AbortSignal,
): Promise<Letter> {
  const key = (text: string): string | undefined =>
    graderOf(question.grader).key(text, question.choices ? { choices: question.choices } : {})
  if (theirs.trim() === '') return 'C'
  if (own.trim() === '') return 'B'
  if (key(own) !== undefined && key(own) === key(theirs)) return 'A'
  const likelihood = (text: string): Promise<number> =>
    bench.likelihood(grader, question, withoutSteps(text), signal ? { signal } : {})
  const less = (await likelihood(own)) - (await likelihood(theirs))
  return less <= LIKELY.A ? 'A' : less <= LIKELY.B ? 'B' : 'C'
}
