import { splitForChoice } from '../datasets/sample.ts'
import { percent, percentWithInterval } from '../report/format.ts'
import type { Evaluation } from '../run.ts'
import { mean, wilson } from '../statistics.ts'
import { compare } from '../summary.ts'
import {
  allQuestions,
  type ExperimentOptions,
  type ExperimentResult,
  fusionSystem,
  type PaperBench,
  pathwaySystem,
  type QuestionSet,
  rowsOnSet,
  runPart,
  shareRight,
} from './bench.ts'
import { nameOf, singleSystems } from './duetnet-systems.ts'

export interface GeneralisationOptions extends ExperimentOptions {
  /** The node before it joins: the paper's is Qwen2.5-7B. */
  readonly base: string
  readonly members: readonly string[]
  readonly sets: readonly QuestionSet[]
  /** How the network answers when it chooses without labels. @default '*' */
  readonly routing?: string
  /** Share of each set that choices are made on; never reported. @default 0.4 */
  readonly selectionShare?: number
}

/** Table 1 of the vision paper, %: alone, routing, DuetNet, on SimpleMath, C-Eval, BoolQ, MMLU. */
const PUBLISHED: readonly (readonly [string, number, number, number])[] = [
  ['SimpleMath', 72, 96, 92],
  ['C-Eval', 70, 70, 78],
  ['BoolQ', 82, 84, 84],
  ['MMLU', 86, 86, 88],
]

/**
 * Generalisation (table 1): one node alone, and after it has joined: by routing, and by DuetNet with one partner. The
 * network routes without being told the set. The partner is chosen on a part of the questions that is not reported:
 * per set, and once for all sets. The paper's own columns are per-set choices on the reported questions (they equal the
 * best cells of DuetNet's tables 3 and 4); the same oracle choices on ours stand beside.
 */
export async function generalisation(bench: PaperBench, options: GeneralisationOptions): Promise<ExperimentResult> {
  const { base, members, sets, routing = '*', selectionShare = 0.4, seed = 1 } = options
  const split = sets.map(({ name, questions }) => ({ name, ...splitForChoice(questions, selectionShare, seed) }))
  const selection = split.map(({ name, selection: questions }) => ({ name, questions }))
  const report = split.map(({ name, report: questions }) => ({ name, questions }))
  const partners = members.filter(member => member !== base)
  const pair = (partner: string): string => nameOf([base, partner], 'duet')
  const pairs = partners.map(partner => fusionSystem(bench, pair(partner), [base, partner], { method: 'duet' }))
  const systems = [...singleSystems(bench, members), ...pairs]
  const chosenOn = await runPart('generalisation-selection', systems, allQuestions(selection), options)
  const measured = await runPart(
    'generalisation',
    [...systems, pathwaySystem(bench, 'routing', routing)],
    allQuestions(report),
    options,
  )
  const on = (evaluation: Evaluation, system: string, set: string): number =>
    shareRight(rowsOnSet(evaluation, system, set))
  const best = (names: readonly string[], value: (name: string) => number): string =>
    names.reduce((a, b) => (value(b) > value(a) ? b : a))
  const fixed = best(partners.map(pair), name => mean(selection.map(set => on(chosenOn, name, set.name))))
  const rows = report.map(({ name, questions }) => {
    const perSet = best(partners.map(pair), system => on(chosenOn, system, name))
    const routed = rowsOnSet(measured, 'routing', name)
    const comparison = compare(routed, rowsOnSet(measured, base, name), seed)
    return {
      set: name,
      n: questions.length,
      alone: on(measured, base, name),
      routing: wilson(routed.filter(row => row.verdict === 'right').length, routed.length),
      gainP: comparison.p,
      perSet: { pair: perSet, accuracy: on(measured, perSet, name) },
      fixed: on(measured, fixed, name),
      oracleSingle: Math.max(...members.map(member => on(measured, member, name))),
      oraclePair: Math.max(...partners.map(partner => on(measured, pair(partner), name))),
    }
  })
  const average = (value: (row: (typeof rows)[number]) => number): string => percent(mean(rows.map(value)))
  return {
    name: 'generalisation',
    title: `Generalisation (table 1): ${base} before and after joining`,
    figures: { rows, fixed },
    blocks: [
      {
        kind: 'text',
        text: `Choices were made on ${Math.round(selectionShare * 100)} % of the questions, which are not reported. The one partner chosen for all sets: ${fixed}. "Oracle" columns choose on the reported questions, as the paper's table does; they are a ceiling, not a result.`,
      },
      {
        kind: 'table',
        caption: `Share right, %. Routing: the pathway ${routing}, without labels.`,
        table: {
          head: [
            'set',
            'n',
            `${base} alone`,
            'routing [95 %]',
            'p (McNemar)',
            'DuetNet, pair per set',
            'DuetNet, one pair',
            'oracle single',
            'oracle pair',
          ],
          rows: [
            ...rows.map(row => [
              row.set,
              String(row.n),
              percent(row.alone),
              percentWithInterval(row.routing),
              row.gainP.toFixed(3),
              `${percent(row.perSet.accuracy)} (${row.perSet.pair})`,
              percent(row.fixed),
              percent(row.oracleSingle),
              percent(row.oraclePair),
            ]),
            [
              'mean',
              '',
              average(row => row.alone),
              average(row => row.routing.estimate),
              '',
              average(row => row.perSet.accuracy),
              average(row => row.fixed),
              average(row => row.oracleSingle),
              average(row => row.oraclePair),
            ],
          ],
        },
      },
      {
        kind: 'table',
        caption: 'Published (Qwen2.5-7B, 50 questions per set; oracle choices), %',
        table: { head: ['set', 'alone', 'routing', 'DuetNet'], rows: PUBLISHED.map(row => row.map(String)) },
      },
    ],
  }
}
