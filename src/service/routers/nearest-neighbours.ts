import type { EncodedQuestion, Router, TrainingData } from '../router.ts'
import { armMeans } from '../routing/arm-means.ts'
import type { Clustering } from '../routing/k-means.ts'
import { closest, clusterDirections, dot } from '../routing/k-means.ts'
import type { PackedBytes } from '../routing/packing.ts'
import { packBytes, packFloats, unpackBytes, unpackFloats } from '../routing/packing.ts'

export interface NeighbourOptions {
  /** Neighbours that are averaged. @default 320 */
  readonly neighbours?: number
  /** Cells of the index that are searched, of as many as the square root of the questions. @default 12 */
  readonly probes?: number
}

/** A router that also knows how near the training questions are. */
export interface NeighbourRouter extends Router {
  /** Mean similarity to the ten nearest training questions of what the latent space can show of this one, 0..1. */
  nearness(question: EncodedQuestion): number
}

interface State {
  readonly arms: number
  readonly neighbours: number
  readonly probes: number
  readonly count: number
  readonly size: number
  readonly centres: Float32Array
  /** Questions in the order of their cells, and where each cell starts. */
  readonly starts: Int32Array
  readonly points: PackedBytes
  readonly scores: Float32Array
}

/** Weight of the mean of all questions among the neighbours. */
const PRIOR_NEIGHBOURS = 5
const NEAREST_FOR_NEARNESS = 10

/** kNN router (C1): mean score of the most similar training questions in the latent space, by an inverted file of cells. */
export function trainNeighbourRouter(
  { questions, arms, scores }: TrainingData,
  options: NeighbourOptions = {},
): NeighbourRouter {
  const latents = questions.map(({ latent }) => latent)
  const size = latents[0]?.length ?? 0
  const clustering: Clustering = clusterDirections(latents, Math.ceil(Math.sqrt(latents.length)), 3)
  const cells = latents.map(latent => closest(latent, clustering))
  const order = [...latents.keys()].sort((a, b) => (cells[a] ?? 0) - (cells[b] ?? 0) || a - b)
  const starts = new Int32Array(clustering.count + 1)
  for (const cell of cells) starts[cell + 1] = (starts[cell + 1] ?? 0) + 1
  for (let cell = 0; cell < clustering.count; cell++) starts[cell + 1] = (starts[cell + 1] ?? 0) + (starts[cell] ?? 0)
  const points = new Float32Array(latents.length * size)
  const sorted = new Float32Array(latents.length * arms)
  order.forEach((row, place) => {
    points.set(latents[row] ?? [], place * size)
    sorted.set(scores.subarray(row * arms, (row + 1) * arms), place * arms)
  })
  const { neighbours = Math.min(320, Math.ceil(latents.length / 8)), probes = 12 } = options
  const { count, centres } = clustering
  return createRouter({
    arms,
    neighbours,
    probes,
    count,
    size,
    centres,
    starts,
    points: packBytes(points),
    scores: sorted,
  })
}

export function restoreNeighbourRouter(state: unknown): NeighbourRouter {
  const saved = state as ReturnType<typeof toSaved> // written by `save` below; checked by the caller's digest
  return createRouter({
    ...saved,
    centres: unpackFloats(saved.centres),
    starts: Int32Array.from(saved.starts),
    scores: Float32Array.from(Buffer.from(saved.scores, 'base64'), value => (value === 255 ? Number.NaN : value / 254)),
  })
}

/** Scores are kept in steps of 1/254; 255 stands for unknown. */
const toSaved = (state: State) => ({
  ...state,
  centres: packFloats(state.centres),
  starts: [...state.starts],
  scores: Buffer.from(
    Uint8Array.from(state.scores, score => (Number.isNaN(score) ? 255 : Math.round(score * 254))),
  ).toString('base64'),
})

function createRouter(state: State): NeighbourRouter {
  const { arms, neighbours, probes, count, size, centres, starts, scores } = state
  const points = unpackBytes(state.points)
  const { scale } = state.points
  const total = starts[count] ?? 0
  const means = armMeans(total, arms, scores)
  const similarity = new Float32Array(total)

  const rows = new Int32Array(total)
  const near = new Float32Array(count)
  let found = 0
  let searched: Float32Array | undefined

  /** Fills `similarity` for the rows of the nearest cells; these rows. Estimate and nearness ask for the same ones. */
  function search(latent: Float32Array): Int32Array {
    if (searched === latent) return rows.subarray(0, found)
    searched = latent
    found = 0
    for (let cell = 0; cell < count; cell++) near[cell] = dot(latent, centres, cell * size)
    for (let rank = 0; rank < count && (rank < probes || found < neighbours); rank++) {
      let cell = 0
      for (let other = 1; other < count; other++) if ((near[other] ?? 0) > (near[cell] ?? 0)) cell = other
      near[cell] = Number.NEGATIVE_INFINITY
      for (let row = starts[cell] ?? 0; row < (starts[cell + 1] ?? 0); row++) {
        let sum = 0
        const start = row * size
        for (let k = 0; k < size; k++) sum += (latent[k] ?? 0) * (points[start + k] ?? 0)
        similarity[row] = sum * scale
        rows[found++] = row
      }
    }
    return rows.subarray(0, found)
  }

  return {
    kind: 'nearest-neighbours',
    arms,
    save: () => toSaved(state),
    estimate({ latent }, subset) {
      const near = search(latent)
      const limit = quantileFromTop(similarity, near, neighbours)
      const width = subset?.length ?? arms
      const sums = new Float64Array(width)
      const weights = new Float64Array(width)
      for (const row of near) {
        const weight = similarity[row] ?? 0
        if (weight < limit || weight <= 0) continue
        for (let at = 0; at < width; at++) {
          const score = scores[row * arms + (subset?.[at] ?? at)] ?? Number.NaN
          if (Number.isNaN(score)) continue
          sums[at] = (sums[at] ?? 0) + weight * score
          weights[at] = (weights[at] ?? 0) + weight
        }
      }
      return sums.map(
        (sum, at) =>
          (sum + PRIOR_NEIGHBOURS * (means[subset?.[at] ?? at] ?? 0)) / ((weights[at] ?? 0) + PRIOR_NEIGHBOURS),
      )
    },
    nearness({ latent, captured }) {
      const near = search(latent)
      const limit = quantileFromTop(similarity, near, NEAREST_FOR_NEARNESS)
      let sum = 0
      let taken = 0
      for (const row of near) {
        if ((similarity[row] ?? 0) < limit || taken >= NEAREST_FOR_NEARNESS) continue
        sum += similarity[row] ?? 0
        taken++
      }
      return taken > 0 ? captured * Math.max(0, sum / taken) : 0
    },
  }
}

/** The similarity that about `wanted` rows reach, by a histogram: cheaper than sorting. */
function quantileFromTop(similarity: Float32Array, rows: Int32Array, wanted: number): number {
  const bins = new Int32Array(256)
  for (const row of rows) {
    const bin = Math.min(255, Math.max(0, Math.floor((similarity[row] ?? 0) * 256)))
    bins[bin] = (bins[bin] ?? 0) + 1
  }
  let count = 0
  for (let bin = 255; bin > 0; bin--) {
    count += bins[bin] ?? 0
    if (count >= wanted) return bin / 256
  }
  return 0
}
