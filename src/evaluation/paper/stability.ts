import { createRandom } from '../../utils/random.ts'
import type { Question } from '../question.ts'
import { percent, percentWithInterval } from '../report/format.ts'
import { questionSeed } from '../run.ts'
import { type Interval, mean, wilson } from '../statistics.ts'
import { rowsOf } from '../summary.ts'
import {
  type ExperimentOptions,
  type ExperimentResult,
  fusionSystem,
  type PaperBench,
  pathwaySystem,
  runPart,
  shareRight,
} from './bench.ts'
import { combinations, reference } from './terms.ts'

export interface StabilityOptions extends ExperimentOptions {
  readonly questions: readonly Question[]
  /** The members that come and go; each is asked alone as well. */
  readonly members: readonly string[]
  /** How the network answers: a pathway, or the vision paper's greedy token-level parallel of whoever is online. */
  readonly network: { readonly pathway: string } | { readonly fuse: 'max' }
  /** @default 1.0, 0.9 … 0.5 as in figure 6 */
  readonly rates?: readonly number[]
  /**
   * How a member is asked alone: as a model by its reference, or as a node, by the network's pathway with everyone else
   * offline. @default 'model'
   */
  readonly alone?: 'model' | 'network'
  /**
   * Members hold the same models, so that how many are online decides and not who: the expectation then needs one set of
   * each size instead of all. @default false
   */
  readonly alike?: boolean
  /** Told in the report. */
  readonly title: string
  /** Names the part; two stability runs of one report need two names. @default 'stability' */
  readonly name?: string
}

/** Figure 6 of the vision paper: online rates and the network's share of right answers among 114 questions. */
const PUBLISHED: Readonly<Record<string, number>> = {
  '0.5': 0.5614,
  '0.6': 0.5965,
  '0.7': 0.5789,
  '0.8': 0.5877,
  '0.9': 0.5965,
  '1': 0.5877,
}

interface RateFigures {
  readonly rate: number
  readonly network: Interval
  /** What independence predicts from the outcomes of every set of members that can be online. */
  readonly expected: number
  readonly singles: Readonly<Record<string, number>>
  readonly expectedSingles: Readonly<Record<string, number>>
}

/**
 * Stability (figure 6): each member is offline independently per request, by really refusing; a request that nobody
 * answers counts as wrong. Beside it stands the exact expectation: every set of members that may be online is asked
 * every question, and weighted by rate^online (1 - rate)^offline; of members that are alike, one set of each size.
 */
export async function stability(bench: PaperBench, options: StabilityOptions): Promise<ExperimentResult> {
  const {
    questions,
    members,
    network,
    rates = [1, 0.9, 0.8, 0.7, 0.6, 0.5],
    seed = 1,
    name = 'stability',
    alone = 'model',
    alike = false,
  } = options
  const system = (label: string, offline: (question: Question) => ReadonlySet<string>) =>
    'pathway' in network
      ? pathwaySystem(bench, label, network.pathway, offline)
      : fusionSystem(bench, label, members, { method: network.fuse }, offline)
  const single = (member: string, rate: number, offline: (question: Question) => ReadonlySet<string>) =>
    alone === 'model'
      ? pathwaySystem(bench, `${member}@${rate}`, reference(member), offline)
      : system(
          `${member}@${rate}`,
          question => new Set([...offline(question), ...members.filter(other => other !== member)]),
        )
  const ratesSystems = rates.flatMap(rate => {
    const offline = (question: Question): ReadonlySet<string> => offlineAt(rate, members, question, seed)
    return [system(`network@${rate}`, offline), ...members.map(member => single(member, rate, offline))]
  })
  const measured = await runPart(`${name}-rates`, ratesSystems, questions, options)
  const subsets = members.flatMap((_, index) =>
    alike ? [members.slice(0, index + 1)] : combinations(members, index + 1),
  )
  const subsetSystems = subsets.map(subset =>
    system(`online ${subset.join(',')}`, () => new Set(members.filter(member => !subset.includes(member)))),
  )
  const outcomes = await runPart(`${name}-subsets`, subsetSystems, questions, options)
  const accuracies = new Map(
    subsets.map(subset => [subset.join(','), shareRight(rowsOf(outcomes, `online ${subset.join(',')}`))]),
  )
  const accuracyOf = (online: readonly string[]): number =>
    accuracies.get((alike ? members.slice(0, online.length) : online).join(',')) ?? 0
  const figures = rates.map((rate): RateFigures => {
    const rows = rowsOf(measured, `network@${rate}`)
    return {
      rate,
      network: wilson(rows.filter(row => row.verdict === 'right').length, rows.length),
      expected: expectedAccuracy(members, rate, accuracyOf),
      singles: Object.fromEntries(members.map(member => [member, shareRight(rowsOf(measured, `${member}@${rate}`))])),
      expectedSingles: Object.fromEntries(members.map(member => [member, rate * accuracyOf([member])])),
    }
  })
  const [full, lowest] = [figures.at(0), figures.at(-1)]
  const singleMean = (row: RateFigures | undefined): string => percent(mean(Object.values(row?.singles ?? {})))
  return {
    name,
    title: options.title,
    highlight: {
      figure: `${percent(full?.network.estimate ?? Number.NaN)} → ${percent(lowest?.network.estimate ?? Number.NaN)} %`,
      text: `of ${members.length} members at online rate ${full?.rate} and ${lowest?.rate}; one alone ${singleMean(full)} → ${singleMean(lowest)} %`,
    },
    blocks: blocksOf(figures, members, options),
    figures: { rates: figures, questions: questions.length },
  }
}

/** Who is offline in a request: drawn per member and question, nested over rates, so that lower rates only lose members. */
export function offlineAt(
  rate: number,
  members: readonly string[],
  question: Question,
  seed: number,
): ReadonlySet<string> {
  const random = createRandom(questionSeed(seed, question.id)).fork('online')
  return new Set(members.filter(member => random.fork(member).next() >= rate))
}

/** Sum over all non-empty sets of online members of their probability times `accuracy`; nobody online is wrong. */
export function expectedAccuracy(
  members: readonly string[],
  rate: number,
  accuracy: (online: readonly string[]) => number,
): number {
  let sum = 0
  for (let size = 1; size <= members.length; size++)
    for (const subset of combinations(members, size))
      sum += rate ** size * (1 - rate) ** (members.length - size) * accuracy(subset)
  return sum
}

function blocksOf(
  figures: readonly RateFigures[],
  members: readonly string[],
  { questions, title }: StabilityOptions,
): ExperimentResult['blocks'] {
  const rising = figures.toSorted((a, b) => a.rate - b.rate)
  const best = (row: RateFigures): number => Math.max(...members.map(member => row.singles[member] ?? 0))
  const networks = figures.map(row => row.network.estimate)
  const [top, bottom] = [rising.at(-1), rising[0]]
  const drop = top && bottom ? top.network.estimate - bottom.network.estimate : Number.NaN
  return [
    {
      kind: 'text',
      text: `${questions.length} questions. From rate ${top?.rate} to ${bottom?.rate} the network loses ${percent(drop)} points (mean ${percent(mean(networks))} %); the best single member falls from ${top ? percent(best(top)) : '–'} % to ${bottom ? percent(best(bottom)) : '–'} %.`,
    },
    {
      kind: 'table',
      caption:
        'Share of right answers among all requests, %; offline counts as wrong. Published: the network of figure 6.',
      table: {
        head: ['online rate', 'network [95 %]', 'expected', 'published', ...members, 'expected single mean'],
        rows: figures.map(row => [
          String(row.rate),
          percentWithInterval(row.network),
          percent(row.expected),
          percent(PUBLISHED[String(row.rate)] ?? Number.NaN),
          ...members.map(member => percent(row.singles[member] ?? Number.NaN)),
          percent(mean(Object.values(row.expectedSingles))),
        ]),
      },
    },
    {
      kind: 'lines',
      chart: {
        title,
        xLabel: 'online rate of each member',
        yLabel: 'right answers, %',
        x: rising.map(row => row.rate),
        series: [
          {
            name: 'network',
            emphasis: true,
            points: rising.map(row => ({ y: row.network.estimate, low: row.network.low, high: row.network.high })),
          },
          { name: 'expected (exact)', dashed: true, points: rising.map(row => ({ y: row.expected })) },
          ...members.map(member => ({ name: member, points: rising.map(row => ({ y: row.singles[member] ?? 0 })) })),
        ],
      },
    },
  ]
}
