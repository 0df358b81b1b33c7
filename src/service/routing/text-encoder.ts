import type { SparseVector, TextFeatures } from '../analysis/text-features.ts'
import { createTextFeatures, normalise } from '../analysis/text-features.ts'
import type { EncodedQuestion } from '../router.ts'
import type { Analysis } from '../task.ts'
import type { LatentSpaceState } from './latent-space.ts'
import { createLatentSpace, fitLatentSpace } from './latent-space.ts'
import { packFloats, unpackFloats } from './packing.ts'

export interface TextEncoderState {
  readonly dimensions: number
  /** Inverse document frequency per bucket, as float32; 0 for buckets no training question had. */
  readonly idf: string
  readonly latent: LatentSpaceState
}

/** Encodes text for routers: hashed TF-IDF (C1 of the method notes) and its place in the latent space. */
export interface TextEncoder {
  readonly dimensions: number
  encode(text: string): EncodedQuestion
  save(): TextEncoderState
}

export interface TextEncoderOptions {
  /** A power of two. @default 65536 */
  readonly dimensions?: number
  /** Directions of the latent space; by cross-validation on two sets 48 to 192 are equally good. @default 64 */
  readonly latentSize?: number
  /** Tells the tags of a text, for routers that go by them. @default no tags */
  readonly tagsOf?: (text: string) => Analysis['tags']
}

/** Words, pairs of words, and pieces of three and four characters; Chinese by character. */
const extractor = (dimensions: number): TextFeatures =>
  createTextFeatures({ dimensions, characters: [3, 4], characterWeight: 0.5, pairs: 0.7, maxWords: 300 })

/** Learns document frequencies and the latent space of the training questions. */
export function fitTextEncoder(texts: readonly string[], options: TextEncoderOptions = {}): TextEncoder {
  const { dimensions = 65_536, latentSize = 64, tagsOf } = options
  const features = extractor(dimensions)
  const counts = new Float32Array(dimensions)
  const vectors = texts.map(features)
  for (const { indices } of vectors) for (const bucket of indices) counts[bucket] = (counts[bucket] ?? 0) + 1
  const idf = counts.map(count => (count > 0 ? Math.log((1 + texts.length) / (1 + count)) + 1 : 0))
  for (const vector of vectors) weigh(vector, idf, 1)
  const latent = fitLatentSpace(vectors, dimensions, { size: latentSize }).save()
  return createTextEncoder({ dimensions, idf: packFloats(idf), latent }, tagsOf)
}

export function createTextEncoder(state: TextEncoderState, tagsOf?: TextEncoderOptions['tagsOf']): TextEncoder {
  const { dimensions } = state
  const features = extractor(dimensions)
  const idf = unpackFloats(state.idf)
  const latent = createLatentSpace(state.latent)
  const rarest = idf.reduce((top, value) => Math.max(top, value), 1)
  return {
    dimensions,
    save: () => state,
    encode(text) {
      const sparse = features(text)
      const known = weigh(sparse, idf, rarest)
      const { place, length } = latent.project(sparse)
      const encoded = { sparse, latent: place, captured: Math.min(1, length * known) }
      return tagsOf ? { ...encoded, tags: tagsOf(text) } : encoded
    },
  }
}

/** Makes counts TF-IDF of unit length, in place; the share of length that is in known buckets. */
function weigh(vector: SparseVector, idf: Float32Array, rarest: number): number {
  const { indices, values } = vector
  let known = 0
  let unknown = 0
  for (let at = 0; at < values.length; at++) {
    const damped = Math.log1p(values[at] ?? 0)
    const weight = idf[indices[at] ?? 0] ?? 0
    values[at] = damped * weight
    if (weight > 0) known += (damped * weight) ** 2
    else unknown += (damped * rarest) ** 2
  }
  normalise(vector)
  return known > 0 ? Math.sqrt(known / (known + unknown)) : 0
}
