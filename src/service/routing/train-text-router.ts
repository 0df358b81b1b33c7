import type { Embedding } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { createRandom } from '../../utils/random.ts'
import type { EncodedQuestion, OutcomeTable, Router, TrainingData } from '../router.ts'
import { trainClusterRouter } from '../routers/cluster.ts'
import { trainLogisticRouter } from '../routers/logistic.ts'
import { trainNeighbourRouter } from '../routers/nearest-neighbours.ts'
import { armMeans } from './arm-means.ts'
import { calibrate, fitCalibration } from './calibration.ts'
import { fitEmbeddingEncoder } from './embedding-encoder.ts'
import type { TextEncoderOptions } from './text-encoder.ts'
import { fitTextEncoder } from './text-encoder.ts'
import type { TextRouterState } from './text-router.ts'
import { INDEXED_FROM } from './text-router.ts'
import { decisionQuality } from './trade-off.ts'

export interface TrainOptions extends TextEncoderOptions {
  /** Vectors of the questions by a model, in their order, to learn from instead of words. @default words */
  readonly embedding?: { readonly model: string; readonly vectors: readonly Embedding[] }
  /** Parts for cross-validation, which chooses the mixture and fits the calibration. @default 3 */
  readonly folds?: number
  /** @default 1 */
  readonly seed?: number
  /** Told what was done, for progress. */
  readonly onProgress?: (message: string) => void
  /** Told what would be expected of every arm for the table's questions, had each not been seen: `questions x arms`. */
  readonly onHeldOut?: (quality: Float64Array) => void
}

type Weights = TextRouterState['weights']

/** Mixtures that cross-validation chooses from. */
const MIXTURES: readonly Weights[] = [
  { cluster: 2, neighbours: 1, logistic: 1 },
  { cluster: 1, neighbours: 0, logistic: 1 },
  { cluster: 1, neighbours: 1, logistic: 0 },
  { cluster: 1, neighbours: 0, logistic: 0 },
  { cluster: 0, neighbours: 1, logistic: 1 },
  { cluster: 1, neighbours: 1, logistic: 1 },
]

/**
 * Another mixture than the first must be better by two standard errors: mixtures choose differently for about one
 * question in five, so their scores differ with a standard deviation of about 0.28 a question.
 */
const minGain = (rows: number): number => (2 * 0.28) / Math.sqrt(rows)

/** Trains everything a text router knows from a table of outcomes, and nothing else. */
export function trainTextRouter(table: OutcomeTable, options: TrainOptions = {}): TextRouterState {
  const { folds = 3, seed = 1, onProgress = () => undefined, onHeldOut = () => undefined } = options
  const arms = table.arms.length
  const wide = arms >= INDEXED_FROM
  const { encoder, questions } = encodeQuestions(table.questions, options)
  onProgress(`encoded ${questions.length} questions`)
  const data: TrainingData = { questions, arms, scores: table.scores, dimensions: encoder.dimensions }
  const costScale = table.costs ? Math.max(1e-12, ...table.costs) : 0
  const costData = table.costs && { ...data, scores: table.costs.map(cost => cost / costScale) }
  const random = createRandom(seed)
  const fold = questions.map(() => Math.floor(random.next() * folds))

  const held = { cluster: empty(data), neighbours: empty(data), logistic: empty(data), costs: empty(data) }
  for (let part = 0; part < folds; part++) {
    const inside = partOf(data, fold, part)
    const outside = [...fold.keys()].filter(row => fold[row] === part)
    fill(held.cluster, trainClusterRouter(inside), questions, outside)
    fill(held.neighbours, trainNeighbourRouter(inside), questions, outside)
    if (!wide) fill(held.logistic, trainLogisticRouter(inside, { steps: 30 }), questions, outside)
    if (costData) fill(held.costs, trainClusterRouter(partOf(costData, fold, part), COST_CLUSTERS), questions, outside)
    onProgress(`cross-validated part ${part + 1} of ${folds}`)
  }
  const trueCosts = costData && { estimated: held.costs, true: costData.scores }
  const judged = MIXTURES.filter(({ logistic }) => !wide || logistic === 0).map(weights => ({
    weights,
    value: decisionQuality(mix(held, weights), data.scores, arms, trueCosts),
  }))
  const first = judged[0] ?? { weights: { cluster: 1, neighbours: 1, logistic: 1 }, value: 0 }
  const best = judged.reduce((a, b) => (b.value > a.value ? b : a), first)
  const { weights } = best.value > first.value + minGain(questions.length) ? best : first
  onProgress(
    `mixture ${JSON.stringify(weights)}; decision quality ${judged.map(({ value }) => value.toFixed(4)).join(' ')}`,
  )

  const mixed = mix(held, weights)
  const calibration = fitCalibration(mixed, data.scores)
  onHeldOut(mixed.map(value => calibrate(calibration, value)))
  const neighbours = trainNeighbourRouter(data)
  const nearness = questions.map(question => neighbours.nearness(question)).sort((a, b) => a - b)
  const at = (share: number): number => nearness[Math.floor(share * (nearness.length - 1))] ?? 0
  return {
    version: 1,
    arms: table.arms,
    encoder: encoder.save(),
    weights,
    cluster: trainClusterRouter(data).save(),
    neighbours: neighbours.save(),
    ...(wide ? {} : { logistic: trainLogisticRouter(data).save() }),
    ...(costData ? { costs: { scale: costScale, router: trainClusterRouter(costData, COST_CLUSTERS).save() } } : {}),
    calibration,
    means: [...armMeans(questions.length, arms, data.scores)],
    // training questions know each other better than new ones can: the farthest twentieth sets the scale, with room below
    nearness: [at(0.05) * 0.2, at(0.05) * 0.6],
  }
}

function encodeQuestions(
  texts: readonly string[],
  options: TrainOptions,
): {
  readonly encoder: { readonly dimensions: number; save(): TextRouterState['encoder'] }
  readonly questions: readonly EncodedQuestion[]
} {
  const { embedding } = options
  if (!embedding) {
    const encoder = fitTextEncoder(texts, options)
    return { encoder, questions: texts.map(text => encoder.encode(text)) }
  }
  if (embedding.vectors.length !== texts.length)
    throw new ModelNetError('INVALID_REQUEST', `${embedding.vectors.length} vectors of ${texts.length} questions`)
  const encoder = fitEmbeddingEncoder(embedding.model, embedding.vectors, options)
  return { encoder, questions: embedding.vectors.map(vector => encoder.encode(vector)) }
}

const COST_CLUSTERS = { counts: [10, 20], starts: 2 } as const

const empty = ({ questions, arms }: TrainingData): Float64Array => new Float64Array(questions.length * arms)

function partOf(data: TrainingData, fold: readonly number[], part: number): TrainingData {
  const rows = [...fold.keys()].filter(row => fold[row] !== part)
  const scores = new Float32Array(rows.length * data.arms)
  rows.forEach((row, at) => {
    scores.set(data.scores.subarray(row * data.arms, (row + 1) * data.arms), at * data.arms)
  })
  return { ...data, scores, questions: rows.flatMap(row => data.questions[row] ?? []) }
}

function fill(
  into: Float64Array,
  router: Router,
  questions: readonly EncodedQuestion[],
  rows: readonly number[],
): void {
  for (const row of rows) {
    const question = questions[row]
    if (question) into.set(router.estimate(question), row * router.arms)
  }
}

function mix(
  held: Readonly<Record<keyof Weights, Float64Array>>,
  { cluster, neighbours, logistic }: Weights,
): Float64Array {
  const total = cluster + neighbours + logistic
  return held.cluster.map(
    (value, at) =>
      (cluster * value + neighbours * (held.neighbours[at] ?? 0) + logistic * (held.logistic[at] ?? 0)) / total,
  )
}
