import {
  bestMember,
  oracleBaseline,
  randomBaseline,
  type SampledSystem,
  samplesAtEqualBudget,
  selfConsistency,
} from '../baselines.ts'
import { splitForChoice } from '../datasets/sample.ts'
import type { Block } from '../report/document.ts'
import { percent, percentWithInterval } from '../report/format.ts'
import { comparisonTable, summaryTable } from '../report/table.ts'
import type { Evaluation, Row } from '../run.ts'
import { mean } from '../statistics.ts'
import { compare, rowsOf, summarise } from '../summary.ts'
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
import { singleSystems } from './duetnet-systems.ts'
import { reference } from './terms.ts'

export interface MixedOptions extends ExperimentOptions {
  readonly members: readonly string[]
  /** One set per field. */
  readonly sets: readonly QuestionSet[]
  /** How the network answers, without labels. @default 'auto' */
  readonly network?: string
  readonly title: string
  /** Names the part. @default 'mixed' */
  readonly name?: string
  /** Share of each set that the best member is chosen on; never reported. @default 0.3 */
  readonly selectionShare?: number
}

/**
 * One network, questions of many fields, no labels: against the best single member, its self-consistency at equal
 * token budget, a random member, the oracle over members, and the oracle that knows each question's field (and which
 * member is best there on the questions that are not reported).
 */
export async function mixed(bench: PaperBench, options: MixedOptions): Promise<ExperimentResult> {
  const { members, sets, network = 'auto', title, name = 'mixed', selectionShare = 0.3, seed = 1 } = options
  const split = sets.map(set => ({ name: set.name, ...splitForChoice(set.questions, selectionShare, seed) }))
  const selection = split.map(set => ({ name: set.name, questions: set.selection }))
  const report = split.map(set => ({ name: set.name, questions: set.report }))
  const chosenOn = await runPart(`${name}-selection`, singleSystems(bench, members), allQuestions(selection), options)
  const measured = await runPart(
    name,
    [pathwaySystem(bench, 'network', network), ...singleSystems(bench, members)],
    allQuestions(report),
    options,
  )
  const best = bestMember(chosenOn, members)
  const samples = Math.max(3, samplesAtEqualBudget(rowsOf(measured, best), rowsOf(measured, 'network')))
  const consistency = selfConsistency(sampled(bench, best), { samples })
  const baseline = await runPart(`${name}-consistency`, [consistency], allQuestions(report), options)
  const byField = fieldOracle(chosenOn, measured, members, report)
  const systems: readonly (readonly [string, readonly Row[]])[] = [
    ['network', rowsOf(measured, 'network')],
    [`best single: ${best}`, rowsOf(measured, best)],
    [consistency.name, baseline.rows],
    ['random member', randomBaseline(measured, members)],
    ['per-field oracle', byField],
    ['oracle over members', oracleBaseline(measured, members)],
  ]
  const summaries = systems.map(([label, rows]) => summarise(label, rows))
  const against = systems
    .slice(1, 5)
    .map(([label, rows]) => ({ ...compare(rowsOf(measured, 'network'), rows, seed), second: label }))
  const single = (member: string): number => mean(report.map(set => shareRight(rowsOnSet(measured, member, set.name))))
  const shown = (index: number): string => percent(summaries[index]?.accuracy.estimate ?? Number.NaN)
  return {
    name,
    title,
    highlight: {
      figure: `${shown(0)} %`,
      text:
        sets.length > 1
          ? `of all fields mixed, without labels; best single model ${shown(1)} %, told each field ${shown(4)} %`
          : `of ${name} questions; best single model ${shown(1)} %`,
    },
    figures: { summaries, comparisons: against, best, bySet: bySet(measured, ['network', ...members], report) },
    blocks: [
      {
        kind: 'text',
        text: `The network answers ${shown(0)} %, the best single member ${shown(1)} %${sets.length > 1 ? `, an oracle that knows each question's field ${shown(4)} %` : ''}. Self-consistency takes ${samples} samples, at least as many tokens as the network spends.`,
      },
      { kind: 'table', caption: 'All questions together', table: summaryTable(summaries) },
      { kind: 'table', caption: 'Paired comparisons of the network', table: comparisonTable(against) },
      fieldTable(measured, ['network', ...members.toSorted((a, b) => single(b) - single(a))], report),
      {
        kind: 'bars',
        chart: {
          title: 'Right answers over all fields, %',
          xLabel: '%',
          bars: summaries.map(summary => ({
            name: summary.name,
            y: summary.accuracy.estimate,
            low: summary.accuracy.low,
            high: summary.accuracy.high,
            emphasis: summary.name === 'network',
          })),
        },
      },
    ],
  }
}

const sampled = (bench: PaperBench, member: string): SampledSystem => ({
  name: member,
  answer: (question, options) => bench.ask(reference(member), question, options),
  sample: (question, options) => bench.ask(reference(member), question, options),
})

/** For every field the member that did best on the selection part of that field. */
function fieldOracle(
  chosenOn: Evaluation,
  measured: Evaluation,
  members: readonly string[],
  sets: readonly QuestionSet[],
): readonly Row[] {
  return sets.flatMap(set => {
    const best = members.reduce((a, b) =>
      shareRight(rowsOnSet(chosenOn, b, set.name)) > shareRight(rowsOnSet(chosenOn, a, set.name)) ? b : a,
    )
    return rowsOnSet(measured, best, set.name).map(row => ({ ...row, system: 'per-field oracle' }))
  })
}

const bySet = (
  evaluation: Evaluation,
  systems: readonly string[],
  sets: readonly QuestionSet[],
): Record<string, Record<string, number>> =>
  Object.fromEntries(
    systems.map(system => [
      system,
      Object.fromEntries(sets.map(set => [set.name, shareRight(rowsOnSet(evaluation, system, set.name))])),
    ]),
  )

const fieldTable = (evaluation: Evaluation, systems: readonly string[], sets: readonly QuestionSet[]): Block => ({
  kind: 'table',
  caption: 'By field, %',
  table: {
    head: ['system', ...sets.map(set => `${set.name} (${set.questions.length})`), 'all [95 %]'],
    rows: systems.map(system => [
      system,
      ...sets.map(set => percent(shareRight(rowsOnSet(evaluation, system, set.name)))),
      percentWithInterval(summarise(system, rowsOf(evaluation, system)).accuracy),
    ]),
  },
})
