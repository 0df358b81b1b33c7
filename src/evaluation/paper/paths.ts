import { splitForChoice } from '../datasets/sample.ts'
import type { Block } from '../report/document.ts'
import { milliseconds, percent } from '../report/format.ts'
import type { Evaluation } from '../run.ts'
import { mean, standardDeviation } from '../statistics.ts'
import { rowsOf } from '../summary.ts'
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
import { parallel, parallelToSerial, permutations, serial, serialToParallel } from './terms.ts'

export interface PathsOptions extends ExperimentOptions {
  /** Three models. */
  readonly members: readonly [string, string, string]
  /** The paper's are GSM8K, C-Eval and mathematics. */
  readonly sets: readonly QuestionSet[]
  /** Share of each set that the path is chosen on; never reported. @default 0.4 */
  readonly selectionShare?: number
}

type Structure = 'SI' | 'PI' | 'S2P' | 'P2S'
type Order = readonly string[]

/** How each structure is written as a pathway, and how the paper writes it. */
const STRUCTURES: Readonly<Record<Structure, { build(order: Order): string; show(order: Order): string }>> = {
  SI: { build: serial, show: order => order.join('-') },
  PI: { build: parallel, show: order => `[${order.join('-')}]` },
  S2P: { build: serialToParallel, show: ([first, ...others]) => `${first}-[${others.join('-')}]` },
  P2S: { build: parallelToSerial, show: ([last, ...others]) => `[${others.join('-')}]-${last}` },
}
const NAMES: readonly Structure[] = ['SI', 'PI', 'S2P', 'P2S']

/** Table 8: mean accuracy over paths, %, and its deviation; best fixed path; table 4: best path per task. */
const PUBLISHED: Readonly<
  Record<Structure, readonly [mean: number, deviation: number, fixed: number, oracle: number]>
> = {
  SI: [64.88, 6.67, 75.33, 77],
  PI: [68.17, 0.69, 69, 69.33],
  S2P: [65.78, 11.45, 79, 79.33],
  P2S: [69.89, 6.28, 78, 78],
}

interface PathFigures {
  readonly path: string
  readonly structure: Structure
  readonly bySet: Readonly<Record<string, { readonly accuracy: number; readonly ms: number }>>
  readonly accuracy: number
  readonly ms: number
}

/**
 * Serial, parallel and composite inference: all 24 paths of three models (tables 4 and 6 to 10). The path that is
 * reported as chosen was chosen on other questions; the paper's table 4 takes the best path per task on the reported
 * ones. PI must not depend on the order of members: whether it does is a line of the report.
 */
export async function paths(bench: PaperBench, options: PathsOptions): Promise<ExperimentResult> {
  const { members, sets, selectionShare = 0.4, seed = 1 } = options
  const all = NAMES.flatMap(structure =>
    permutations(members).map(order => ({
      structure,
      path: `${structure} ${STRUCTURES[structure].show(order)}`,
      term: STRUCTURES[structure].build(order),
    })),
  )
  const systems = [...singleSystems(bench, members), ...all.map(({ path, term }) => pathwaySystem(bench, path, term))]
  const evaluation = await runPart('paths', systems, allQuestions(sets), options)
  const figures = all.map(({ path, structure }): PathFigures => figuresOf(evaluation, path, structure, sets))
  const singles = members.map(member => figuresOf(evaluation, member, 'SI', sets))
  const choice = chosen(
    evaluation,
    all.map(({ path }) => path),
    members,
    sets,
    selectionShare,
    seed,
  )
  const orders = permutations(members).map(order =>
    rowsOf(evaluation, `PI ${STRUCTURES.PI.show(order)}`).map(row => row.text),
  )
  const orderFree = orders.every(texts => texts.every((text, index) => text === orders[0]?.[index]))
  const bestSingle = Math.max(...singles.map(single => single.accuracy))
  return {
    name: 'paths',
    title: 'Serial and parallel inference: all 24 paths of three models',
    figures: { paths: figures, singles, choice, parallelIndependentOfOrder: orderFree },
    blocks: [
      {
        kind: 'text',
        text: `Best single ${percent(bestSingle)} %. Chosen on ${Math.round(selectionShare * 100)} % of the questions and reported on the rest: best path ${choice.path} with ${percent(choice.pathAccuracy)} %, best single ${choice.single} with ${percent(choice.singleAccuracy)} %. Parallel inference gives ${orderFree ? 'the same text in all six orders' : 'different texts in different orders, which it should not'}.`,
      },
      structureTable(figures),
      pathTable('Singles', singles, sets),
      ...NAMES.map(structure =>
        pathTable(
          `${structure}: accuracy % / time per question`,
          figures.filter(row => row.structure === structure),
          sets,
        ),
      ),
    ],
  }
}

function figuresOf(
  evaluation: Evaluation,
  path: string,
  structure: Structure,
  sets: readonly QuestionSet[],
): PathFigures {
  const bySet = Object.fromEntries(
    sets.map(({ name }) => {
      const rows = rowsOnSet(evaluation, path, name)
      return [name, { accuracy: shareRight(rows), ms: mean(rows.map(row => row.ms)) }]
    }),
  )
  const cells = Object.values(bySet)
  return {
    path,
    structure,
    bySet,
    accuracy: mean(cells.map(cell => cell.accuracy)),
    ms: mean(cells.map(cell => cell.ms)),
  }
}

/** The best path and the best single member by the selection part, with their accuracy on the other part. */
function chosen(
  evaluation: Evaluation,
  candidates: readonly string[],
  members: readonly string[],
  sets: readonly QuestionSet[],
  share: number,
  seed: number,
): { readonly path: string; readonly pathAccuracy: number; readonly single: string; readonly singleAccuracy: number } {
  const { selection } = splitForChoice(allQuestions(sets), share, seed)
  const picked = new Set(selection.map(question => question.id))
  const accuracy = (system: string, inSelection: boolean): number =>
    shareRight(rowsOf(evaluation, system).filter(row => picked.has(row.question) === inSelection))
  const best = (names: readonly string[]): string =>
    names.reduce((a, b) => (accuracy(b, true) > accuracy(a, true) ? b : a))
  const [path, single] = [best(candidates), best(members)]
  return { path, pathAccuracy: accuracy(path, false), single, singleAccuracy: accuracy(single, false) }
}

/** Tables 8 and 4: mean and deviation over paths, best fixed path, and the best path per task (an oracle choice). */
const structureTable = (figures: readonly PathFigures[]): Block => ({
  kind: 'table',
  caption: 'Tables 4, 8, 9: by structure, %. Published values in brackets. "Best per task" is an oracle choice.',
  table: {
    head: [
      'structure',
      'mean over paths',
      'deviation',
      'best fixed path',
      'best per task',
      'mean time',
      'deviation of time',
    ],
    rows: NAMES.map(structure => {
      const rows = figures.filter(row => row.structure === structure)
      const sets = Object.keys(rows[0]?.bySet ?? {})
      const perTask = mean(sets.map(set => Math.max(...rows.map(row => row.bySet[set]?.accuracy ?? 0))))
      const [publishedMean, deviation, fixed, oracle] = PUBLISHED[structure]
      return [
        structure,
        `${percent(mean(rows.map(row => row.accuracy)))} (${publishedMean})`,
        `${percent(standardDeviation(rows.map(row => row.accuracy)))} (${deviation})`,
        `${percent(Math.max(...rows.map(row => row.accuracy)))} (${fixed})`,
        `${percent(perTask)} (${oracle})`,
        milliseconds(mean(rows.map(row => row.ms))),
        milliseconds(standardDeviation(rows.map(row => row.ms))),
      ]
    }),
  },
})

const pathTable = (caption: string, rows: readonly PathFigures[], sets: readonly QuestionSet[]): Block => ({
  kind: 'table',
  caption,
  table: {
    head: ['path', ...sets.map(set => `${set.name} (${set.questions.length})`), 'mean accuracy', 'mean time'],
    rows: rows.map(row => [
      row.path,
      ...sets.map(
        ({ name }) =>
          `${percent(row.bySet[name]?.accuracy ?? Number.NaN)} / ${milliseconds(row.bySet[name]?.ms ?? Number.NaN)}`,
      ),
      percent(row.accuracy),
      milliseconds(row.ms),
    ]),
  },
})
