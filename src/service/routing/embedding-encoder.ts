import type { Embedding } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { normalise, type SparseVector } from '../analysis/text-features.ts'
import type { EncodedQuestion } from '../router.ts'
import type { LatentSpaceState } from './latent-space.ts'
import { createLatentSpace, fitLatentSpace } from './latent-space.ts'
import { packFloats, unpackFloats } from './packing.ts'

export interface EmbeddingEncoderState {
  readonly kind: 'embedding'
  /** Id of the model whose vectors it reads; those of another do not compare. */
  readonly model: string
  /** Mean of the training questions' vectors, as float32. */
  readonly mean: string
  readonly latent: LatentSpaceState
}

/** Encodes vectors of an embedding model for routers. */
export interface EmbeddingEncoder {
  readonly dimensions: number
  /** Throws INVALID_REQUEST for a vector of another length: the model behind the name is another one. */
  encode(vector: Embedding): EncodedQuestion
  save(): EmbeddingEncoderState
}

/**
 * Learns what is common to the vectors of the training questions, which says nothing of any, and takes it off: what is left
 * stands where hashed words stand otherwise, and its principal directions are the latent space.
 */
export function fitEmbeddingEncoder(
  model: string,
  vectors: readonly Embedding[],
  { latentSize = 64 }: { readonly latentSize?: number } = {},
): EmbeddingEncoder {
  const dimensions = vectors[0]?.length ?? 0
  const mean = new Float32Array(dimensions)
  for (const vector of vectors)
    vector.forEach((value, at) => {
      mean[at] = (mean[at] ?? 0) + value / vectors.length
    })
  const latent = fitLatentSpace(
    vectors.map(vector => centred(vector, mean)),
    dimensions,
    { size: Math.min(latentSize, dimensions) },
  )
  return createEmbeddingEncoder({ kind: 'embedding', model, mean: packFloats(mean), latent: latent.save() })
}

export function createEmbeddingEncoder(state: EmbeddingEncoderState): EmbeddingEncoder {
  const mean = unpackFloats(state.mean)
  const latent = createLatentSpace(state.latent)
  return {
    dimensions: mean.length,
    save: () => state,
    encode(vector) {
      if (vector.length !== mean.length)
        throw new ModelNetError(
          'INVALID_REQUEST',
          `${state.model} gives ${vector.length} numbers, the router learned from ${mean.length}`,
        )
      const sparse = centred(vector, mean)
      const { place, length } = latent.project(sparse)
      return { sparse, latent: place, captured: Math.min(1, length) }
    },
  }
}

/** The vector without what is common to all, of unit length. */
function centred(vector: Embedding, mean: Float32Array): SparseVector {
  const result: SparseVector = {
    indices: Int32Array.from(vector.keys()),
    values: Float32Array.from(vector, (value, at) => value - (mean[at] ?? 0)),
  }
  normalise(result)
  return result
}
