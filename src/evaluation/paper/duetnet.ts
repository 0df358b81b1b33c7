import type { Block } from '../report/document.ts'
import { percent, percentWithInterval } from '../report/format.ts'
import type { Evaluation, Row } from '../run.ts'
import { mean, wilson } from '../statistics.ts'
import { rowsOf } from '../summary.ts'
import {
  allQuestions,
  type ExperimentOptions,
  type ExperimentResult,
  type PaperBench,
  type QuestionSet,
  rowsOnSet,
  runPart,
  shareRight,
} from './bench.ts'
import {
  consistencyName,
  consistencySystems,
  fusionSystems,
  METHODS,
  nameOf,
  SWEEPS,
  singleSystems,
  sweepName,
  sweepSystems,
} from './duetnet-systems.ts'
import { outcomeBlocks, outcomeSplit } from './outcomes.ts'
import { combinations } from './terms.ts'

export interface DuetNetExperimentOptions extends ExperimentOptions {
  /** Two to four models. */
  readonly members: readonly string[]
  /** The paper's are SimpleMath, C-Eval, BoolQ and MMLU. */
  readonly sets: readonly QuestionSet[]
  /** Questions of each set that the sweeps and samples use. @default all */
  readonly sweepQuestions?: number
}

/** Table 5 of DuetNet, mean over six pairs, %. */
const PUBLISHED_PAIRS: Readonly<Record<string, number>> = {
  gac: 73.1,
  unite: 74.1,
  dp: 74.5,
  dk: 54.8,
  'duet-raw': 75.9,
}
/** Table 7: mean of the 3-model combinations, and the four models. */
const PUBLISHED_TRIPLES: Readonly<Record<string, number>> = {
  gac: 73.1,
  unite: 71.5,
  dp: 71.8,
  dk: 59.3,
  'duet-raw': 76.4,
}
const SWEPT_METHODS = ['duet', 'duet-raw'] as const
const PUBLISHED_FOUR: Readonly<Record<string, number>> = { gac: 82.5, unite: 82.5, dp: 78, dk: 59.5, 'duet-raw': 83.5 }

/**
 * DuetNet's tables 3 to 7, its figures 7, 8 and 10, and the sweeps of T, K and P. "Best single" is chosen by its mean
 * over the reported sets, as in the paper's table 5; that favours the single model.
 */
export async function duetnet(bench: PaperBench, options: DuetNetExperimentOptions): Promise<ExperimentResult> {
  const { members, sets, sweepQuestions } = options
  const main = await runPart(
    'duetnet',
    [...singleSystems(bench, members), ...fusionSystems(bench, members)],
    allQuestions(sets),
    options,
  )
  const smaller =
    sweepQuestions === undefined
      ? sets
      : sets.map(set => ({ ...set, questions: set.questions.slice(0, sweepQuestions) }))
  const pairs = combinations(members, 2)
  const swept =
    pairs.toSorted((a, b) => meanOver(main, nameOf(b, 'duet'), sets) - meanOver(main, nameOf(a, 'duet'), sets))[0] ??
    members
  const sweeps = await runPart(
    'duetnet-sweeps',
    [...sweepSystems(bench, swept), ...consistencySystems(bench, members)],
    allQuestions(smaller),
    options,
  )
  const split = Object.fromEntries(
    METHODS.map(method => [
      method,
      outcomeSplit(
        main,
        pairs.map(pair => ({ members: pair, system: nameOf(pair, method) })),
      ),
    ]),
  )
  const blocks: Block[] = [
    setTable(main, sets, 'Table 3: single models, %', members),
    setTable(
      main,
      sets,
      'Table 4: pairs by DuetNet as published (duet-raw), %',
      pairs.map(pair => nameOf(pair, 'duet-raw')),
    ),
    setTable(
      main,
      sets,
      'Table 4, shift-invariant DuetNet (duet), %',
      pairs.map(pair => nameOf(pair, 'duet')),
    ),
    methodTable(main, sets, members, pairs, 'Table 5: pairs by method, mean over the sets, %', PUBLISHED_PAIRS),
    methodTable(main, sets, members, combinations(members, 3), 'Table 7: three models, %', PUBLISHED_TRIPLES),
    methodTable(main, sets, members, combinations(members, 4), 'Table 7: four models, %', PUBLISHED_FOUR),
    setTable(
      sweeps,
      smaller,
      'Table 6: self-consistency of single models, 3 paths, T in {1, 2}, %',
      members.map(consistencyName),
    ),
    ...sweepBlocks(sweeps, smaller, swept),
    costTable(main, pairs),
    ...outcomeBlocks(split),
  ]
  const accuracy = Object.fromEntries(
    main.systems.map(name => [
      name,
      Object.fromEntries(sets.map(set => [set.name, shareRight(rowsOnSet(main, name, set.name))])),
    ]),
  )
  return {
    name: 'duetnet',
    title: 'DuetNet: tables 3 to 7 and sweeps',
    blocks,
    figures: { accuracy, split, swept, ...furtherFigures(main, sweeps, smaller, members, pairs, swept) },
  }
}

/** Table 6, the sweeps of figures 6, 12 and 13, and the costs of figures 7, 10 and 11, as numbers. */
function furtherFigures(
  main: Evaluation,
  sweeps: Evaluation,
  sets: readonly QuestionSet[],
  members: readonly string[],
  pairs: readonly (readonly string[])[],
  swept: readonly string[],
): Readonly<Record<string, unknown>> {
  const consistency = Object.fromEntries(members.map(name => [name, meanOver(sweeps, consistencyName(name), sets)]))
  const parameters = Object.entries(SWEEPS).map(([parameter, values]) => [
    parameter,
    values.map(value => ({
      value,
      ...Object.fromEntries(
        SWEPT_METHODS.map(method => [
          method,
          meanOver(sweeps, `${sweepName(swept, parameter as keyof typeof SWEEPS, value)} ${method}`, sets),
        ]),
      ),
    })),
  ])
  return {
    consistency,
    sweeps: Object.fromEntries(parameters),
    costs: Object.fromEntries(METHODS.map(method => [method, costsOf(main, pairs, method)])),
  }
}

/** The mean over sets, each counting the same, as in the paper. */
const meanOver = (evaluation: Evaluation, system: string, sets: readonly QuestionSet[]): number =>
  mean(sets.map(set => shareRight(rowsOnSet(evaluation, system, set.name))))

const overall = (rows: readonly Row[]): string =>
  percentWithInterval(wilson(rows.filter(row => row.verdict === 'right').length, rows.length))

const setTable = (
  evaluation: Evaluation,
  sets: readonly QuestionSet[],
  caption: string,
  systems: readonly string[],
): Block => ({
  kind: 'table',
  caption,
  table: {
    head: ['system', ...sets.map(set => `${set.name} (${set.questions.length})`), 'mean', 'all [95 %]'],
    rows: systems.map(system => [
      system,
      ...sets.map(set => percent(shareRight(rowsOnSet(evaluation, system, set.name)))),
      percent(meanOver(evaluation, system, sets)),
      overall(rowsOf(evaluation, system)),
    ]),
  },
})

function methodTable(
  evaluation: Evaluation,
  sets: readonly QuestionSet[],
  members: readonly string[],
  groups: readonly (readonly string[])[],
  caption: string,
  published: Readonly<Record<string, number>>,
): Block {
  const single = (group: readonly string[]): number =>
    Math.max(...group.map(member => meanOver(evaluation, member, sets)))
  const rows = groups.map(group => [
    group.join(' & '),
    percent(single(group)),
    ...METHODS.map(method => percent(meanOver(evaluation, nameOf(group, method), sets))),
  ])
  const means = METHODS.map(method =>
    percent(mean(groups.map(group => meanOver(evaluation, nameOf(group, method), sets)))),
  )
  return {
    kind: 'table',
    caption,
    table: {
      head: ['members', 'best single', ...METHODS],
      rows: [
        ...rows,
        ...(groups.length > 1 ? [['mean', percent(mean(groups.map(single))), ...means]] : []),
        [
          `published (${members.length} 7-9B models)`,
          '',
          ...METHODS.map(method => published[method]?.toFixed(1) ?? '–'),
        ],
      ],
    },
  }
}

function sweepBlocks(evaluation: Evaluation, sets: readonly QuestionSet[], group: readonly string[]): readonly Block[] {
  return (['topT', 'topP', 'topK', 'offset'] as const).map(parameter => ({
    kind: 'lines',
    chart: {
      title: `Sweep of ${parameter.replace('top', '')} for ${group.join(' & ')} (figures 6, 12, 13); the other two stay at T=1, K=10, P=0.75`,
      xLabel: parameter.replace('top', ''),
      yLabel: 'right answers, %',
      x: SWEEPS[parameter],
      ordinal: true,
      series: SWEPT_METHODS.map(method => ({
        name: method === 'duet' ? 'duet (shift-invariant)' : 'duet-raw (as published)',
        emphasis: method === 'duet',
        points: SWEEPS[parameter].map(value => ({
          y: meanOver(evaluation, `${sweepName(group, parameter, value)} ${method}`, sets),
        })),
      })),
    },
  }))
}

interface Costs {
  /** Symbols of an answer, and candidates aligned at each; absent where the method does not count them. */
  readonly steps?: number
  readonly candidates?: number
  readonly msPerStep?: number
  /** Of a whole answer. */
  readonly ms: number
}

function costsOf(
  evaluation: Evaluation,
  pairs: readonly (readonly string[])[],
  method: (typeof METHODS)[number],
): Costs {
  const answers = pairs.flatMap(
    pair => rowsOf(evaluation, nameOf(pair, method)) as readonly (Row & { candidates?: number; steps?: number })[],
  ) // rows keep what `fuse` adds
  const steps = answers.reduce((sum, row) => sum + (row.steps ?? 0), 0)
  const candidates = answers.reduce((sum, row) => sum + (row.candidates ?? 0), 0)
  const ms = answers.reduce((sum, row) => sum + row.ms, 0)
  return {
    ...(steps > 0 ? { steps: steps / answers.length, msPerStep: ms / steps } : {}),
    ...(candidates > 0 ? { candidates: candidates / steps } : {}),
    ms: ms / answers.length,
  }
}

/** Figures 7, 10 and 11: candidates aligned per step, output length, milliseconds per token; means over the pairs. */
function costTable(evaluation: Evaluation, pairs: readonly (readonly string[])[]): Block {
  const shown = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '–'
  const rows = METHODS.map(method => {
    const { steps, candidates, msPerStep, ms } = costsOf(evaluation, pairs, method)
    return [method, shown(steps, 1), shown(candidates, 2), shown(msPerStep, 2), shown(ms, 1)]
  })
  return {
    kind: 'table',
    caption:
      'Figures 7, 10, 11: pairs by method. Published candidates per step: GaC 88-93, UniTE 15-18, DuetNet 2.5-2.8. Times were taken on a shared machine.',
    table: { head: ['method', 'steps per answer', 'candidates per step', 'ms per step', 'ms per answer'], rows },
  }
}
