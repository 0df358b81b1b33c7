import { z } from 'zod'
import type { Embedding } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { EncodedQuestion, Router } from '../router.ts'
import type { ClusterRouter } from '../routers/cluster.ts'
import { restoreClusterRouter } from '../routers/cluster.ts'
import { createEnsembleRouter } from '../routers/ensemble.ts'
import { restoreLogisticRouter } from '../routers/logistic.ts'
import type { NeighbourRouter } from '../routers/nearest-neighbours.ts'
import { restoreNeighbourRouter } from '../routers/nearest-neighbours.ts'
import type { Preference } from '../task.ts'
import type { Calibration } from './calibration.ts'
import { calibrate } from './calibration.ts'
import type { EmbeddingEncoderState } from './embedding-encoder.ts'
import { createEmbeddingEncoder } from './embedding-encoder.ts'
import type { TextEncoderState } from './text-encoder.ts'
import { createTextEncoder } from './text-encoder.ts'

/** What a router expects of each arm for one question. */
export interface RouteEstimate {
  /** Expected score per arm, calibrated: 0.7 is right in 70 % of cases. */
  readonly quality: Float64Array
  /** Expected cost per arm, in the unit of the training costs; zeros where none were given. */
  readonly cost: Float64Array
  /** 1 like the training questions .. 0 out of depth: then the estimates are the arms' overall means. */
  readonly familiarity: number
}

/** A text, or its vector by the model that the router names. */
export type Question = string | Embedding

/** Chooses among arms by the text of a question. */
export interface TextRouter {
  readonly arms: readonly string[]
  /** Id of the model whose vectors it reads; absent for one that reads words. */
  readonly encoder?: string
  /** The same router by words, of one that reads vectors: for when these are not to be had. */
  readonly words?: TextRouter
  /** Throws INVALID_REQUEST for a question of the other form: a text is for words, a vector for an encoder. */
  estimate(question: Question): RouteEstimate
  /** The arm of the greatest utility: quality - a*cost - b*seconds; `seconds` per arm where known. */
  choose(question: Question, preference?: Partial<Preference>, seconds?: ArrayLike<number>): RouteChoice
  save(): TextRouterState
}

export interface RouteChoice {
  readonly arm: string
  readonly index: number
  readonly quality: number
  readonly familiarity: number
}

/** Everything a router knows, as JSON; a few MB. */
export interface TextRouterState {
  readonly version: 1
  readonly arms: readonly string[]
  readonly encoder: TextEncoderState | EmbeddingEncoderState
  /** Trained on the same outcomes by words, where the encoder is a model. */
  readonly words?: TextRouterState
  readonly weights: { readonly cluster: number; readonly neighbours: number; readonly logistic: number }
  readonly cluster: unknown
  readonly neighbours: unknown
  /** Absent with very many arms. */
  readonly logistic?: unknown
  /** A cluster router over costs, and what its numbers are multiplied with. */
  readonly costs?: { readonly scale: number; readonly router: unknown }
  readonly calibration: Calibration
  /** Mean score per arm over the training questions. */
  readonly means: readonly number[]
  /** Nearness to the training questions up to which familiarity is 0, and from which on it is 1. */
  readonly nearness: readonly [number, number]
}

const HeadSchema = z.looseObject({
  version: z.literal(1),
  arms: z.array(z.string()).min(1),
  means: z.array(z.number()),
  weights: z.object({ cluster: z.number().min(0), neighbours: z.number().min(0), logistic: z.number().min(0) }),
  nearness: z.tuple([z.number(), z.number()]),
})

/** Arms from which on only those a cluster lists are estimated, and weights per word and arm would be too many. */
export const INDEXED_FROM = 256
const SHORTLIST = 64

/** Loads a trained router. Throws INVALID_REQUEST for a state of another version or form. */
export function loadTextRouter(state: TextRouterState): TextRouter {
  const head = HeadSchema.safeParse(state)
  if (!head.success) throw new ModelNetError('INVALID_REQUEST', `not a saved router: ${z.prettifyError(head.error)}`)
  const parts = restore(state)
  const { arms, calibration, means, nearness } = state
  const encode = encoderOf(state.encoder)
  const wide = arms.length >= INDEXED_FROM

  function estimateEncoded(question: EncodedQuestion, subset?: Int32Array): RouteEstimate {
    const familiarity = familiarityOf(parts.neighbours.nearness(question), nearness)
    const quality = parts.router.estimate(question, subset)
    for (let at = 0; at < quality.length; at++) {
      const mean = means[subset?.[at] ?? at] ?? 0
      quality[at] = mean + familiarity * (calibrate(calibration, quality[at] ?? 0) - mean)
    }
    const cost = parts.costs?.estimate(question, subset) ?? new Float64Array(quality.length)
    const scale = state.costs?.scale ?? 0
    return { quality, cost: cost.map(value => value * scale), familiarity }
  }

  return {
    arms,
    ...('kind' in state.encoder && { encoder: state.encoder.model }),
    ...(state.words && { words: loadTextRouter(state.words) }),
    save: () => state,
    estimate: question => estimateEncoded(encode(question)),
    choose(asked, { quality: value = 1, cost: price = 0, latency = 0 } = {}, seconds) {
      const question = encode(asked)
      const subset = wide ? parts.cluster.shortlist(question, SHORTLIST) : undefined
      const { quality, cost, familiarity } = estimateEncoded(question, subset)
      let best = 0
      let top = Number.NEGATIVE_INFINITY
      for (let at = 0; at < quality.length; at++) {
        const index = subset?.[at] ?? at
        const utility = value * (quality[at] ?? 0) - price * (cost[at] ?? 0) - latency * (seconds?.[index] ?? 0)
        if (utility > top) {
          top = utility
          best = at
        }
      }
      const index = subset?.[best] ?? best
      return { arm: arms[index] ?? '', index, quality: quality[best] ?? 0, familiarity }
    },
  }
}

function encoderOf(state: TextRouterState['encoder']): (question: Question) => EncodedQuestion {
  const wrong = (expected: string): ModelNetError => new ModelNetError('INVALID_REQUEST', `expected ${expected}`)
  if ('kind' in state) {
    const encoder = createEmbeddingEncoder(state)
    return question => {
      if (typeof question === 'string') throw wrong(`the vector of a question by ${state.model}, got its text`)
      return encoder.encode(question)
    }
  }
  const encoder = createTextEncoder(state)
  return question => {
    if (typeof question !== 'string') throw wrong('the text of a question, got a vector')
    return encoder.encode(question)
  }
}

/** From the nearness of the farthest training questions up to that of the usual ones. */
const familiarityOf = (nearness: number, [none, usual]: readonly [number, number]): number =>
  Math.min(1, Math.max(0, (nearness - none) / Math.max(1e-9, usual - none)))

function restore(state: TextRouterState): {
  readonly router: Router
  readonly cluster: ClusterRouter
  readonly neighbours: NeighbourRouter
  readonly costs: Router | undefined
} {
  const { weights } = state
  const cluster = restoreClusterRouter(state.cluster)
  const neighbours = restoreNeighbourRouter(state.neighbours)
  const router = createEnsembleRouter([
    { router: cluster, weight: weights.cluster },
    { router: neighbours, weight: weights.neighbours },
    ...(state.logistic === undefined
      ? []
      : [{ router: restoreLogisticRouter(state.logistic), weight: weights.logistic }]),
  ])
  return { router, cluster, neighbours, costs: state.costs && restoreClusterRouter(state.costs.router) }
}
