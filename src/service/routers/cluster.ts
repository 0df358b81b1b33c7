import type { EncodedQuestion, Router, TrainingData } from '../router.ts'
import { armMeans } from '../routing/arm-means.ts'
import type { Clustering } from '../routing/k-means.ts'
import { clusterDirections, dot } from '../routing/k-means.ts'
import { packFloats, unpackFloats } from '../routing/packing.ts'

export interface ClusterOptions {
  /** Several clusterings are averaged: one alone depends on its start. @default [10, 20, 40] */
  readonly counts?: readonly number[]
  /** Starts per count. @default 5 */
  readonly starts?: number
}

/** A router that can name the arms worth looking at, without looking at all. */
export interface ClusterRouter extends Router {
  /** At most about `size` arms that are best around the question, from lists made in advance. */
  shortlist(question: EncodedQuestion, size: number): Int32Array
}

interface Group {
  readonly clustering: Clustering
  /** `clusters x arms`. */
  readonly quality: Float32Array
}

/** Nearest clusters a question belongs to, how sharply, and the weight of the overall mean in each (Avengers-Pro, C2). */
const NEAREST = 3
const SHARPNESS = 20
const SHRINKAGE = 10

/** Cluster router (Avengers-Pro): mean score per arm in the nearest clusters of the latent space. */
export function trainClusterRouter(
  { questions, arms, scores }: TrainingData,
  options: ClusterOptions = {},
): ClusterRouter {
  const { counts = [10, 20, 40], starts = 5 } = options
  const points = questions.map(({ latent }) => latent)
  const groups = counts
    .filter((count, at) => at === 0 || count * 5 <= points.length)
    .flatMap(count =>
      Array.from({ length: starts }, (_, start) => clusterDirections(points, count, 1 + start * 97 + count)),
    )
    .map(clustering => ({ clustering, quality: meanScores(clustering, points, arms, scores) }))
  return createRouter(arms, groups)
}

export function restoreClusterRouter(state: unknown): ClusterRouter {
  const { arms, groups } = state as ReturnType<typeof toState> // written by `save` below; checked by the caller's digest
  return createRouter(
    arms,
    groups.map(({ count, size, centres, quality }) => ({
      clustering: { count, size, centres: unpackFloats(centres) },
      quality: unpackFloats(quality),
    })),
  )
}

const toState = (arms: number, groups: readonly Group[]) => ({
  arms,
  groups: groups.map(({ clustering, quality }) => ({
    count: clustering.count,
    size: clustering.size,
    centres: packFloats(clustering.centres),
    quality: packFloats(quality),
  })),
})

function createRouter(arms: number, groups: readonly Group[]): ClusterRouter {
  let lists: readonly (readonly Int32Array[])[] | undefined
  return {
    kind: 'cluster',
    arms,
    save: () => toState(arms, groups),
    estimate({ latent }, subset) {
      const result = new Float64Array(subset?.length ?? arms)
      for (const { clustering, quality } of groups)
        for (const { cluster, weight } of memberships(latent, clustering)) {
          const share = weight / groups.length
          for (let at = 0; at < result.length; at++)
            result[at] = (result[at] ?? 0) + share * (quality[cluster * arms + (subset?.[at] ?? at)] ?? 0)
        }
      return result
    },
    shortlist({ latent }, size) {
      lists ??= groups.map(({ clustering, quality }) =>
        Array.from({ length: clustering.count }, (_, cluster) =>
          bestArms(quality.subarray(cluster * arms, (cluster + 1) * arms), LISTED),
        ),
      )
      const found = new Set<number>()
      const parts = groups.flatMap(({ clustering }, at) =>
        memberships(latent, clustering).map(({ cluster, weight }) => ({
          list: lists?.[at]?.[cluster] ?? new Int32Array(),
          weight,
        })),
      )
      parts.sort((a, b) => b.weight - a.weight)
      for (let rank = 0; rank < LISTED && found.size < size; rank++)
        for (const { list } of parts) if (rank < list.length && found.size < size) found.add(list[rank] ?? 0)
      return Int32Array.from(found)
    },
  }
}

/** Arms listed per cluster. */
const LISTED = 64

function bestArms(quality: Float32Array, size: number): Int32Array {
  return Int32Array.from([...quality.keys()].sort((a, b) => (quality[b] ?? 0) - (quality[a] ?? 0)).slice(0, size))
}

function memberships(point: Float32Array, { count, size, centres }: Clustering): { cluster: number; weight: number }[] {
  const near: { cluster: number; weight: number }[] = []
  for (let cluster = 0; cluster < count; cluster++) {
    const weight = dot(point, centres, cluster * size)
    if (near.length < NEAREST) near.push({ cluster, weight })
    else if (weight > (near[NEAREST - 1]?.weight ?? 0)) near[NEAREST - 1] = { cluster, weight }
    else continue
    near.sort((a, b) => b.weight - a.weight)
  }
  const top = near[0]?.weight ?? 0
  let sum = 0
  for (const entry of near) {
    entry.weight = Math.exp(SHARPNESS * (entry.weight - top))
    sum += entry.weight
  }
  for (const entry of near) entry.weight /= sum
  return near
}

function meanScores(
  clustering: Clustering,
  points: readonly Float32Array[],
  arms: number,
  scores: Float32Array,
): Float32Array {
  const sums = new Float64Array(clustering.count * arms)
  const weights = new Float64Array(clustering.count * arms)
  const overall = armMeans(points.length, arms, scores)
  points.forEach((point, row) => {
    for (const { cluster, weight } of memberships(point, clustering))
      for (let arm = 0; arm < arms; arm++) {
        const score = scores[row * arms + arm] ?? Number.NaN
        if (Number.isNaN(score)) continue
        sums[cluster * arms + arm] = (sums[cluster * arms + arm] ?? 0) + weight * score
        weights[cluster * arms + arm] = (weights[cluster * arms + arm] ?? 0) + weight
      }
  })
  return Float32Array.from(
    sums,
    (sum, at) => (sum + SHRINKAGE * (overall[at % arms] ?? 0)) / ((weights[at] ?? 0) + SHRINKAGE),
  )
}
