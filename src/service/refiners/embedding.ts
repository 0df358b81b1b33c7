import type { CallOptions, Embedding } from '../../resource/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { SkillRefiner } from '../refiner.ts'

/** Cosine to a skill's examples below which a question is like none of them. */
const LIKE_NONE = 0.2
/** Of the softmax over cosines: half a cosine apart is 12 to 1. */
const SHARPNESS = 5

/**
 * Compares the vector of a question with those of example questions of each skill, whose mean stands for it; what is common
 * to all skills is taken off first. The examples are embedded once, beside the requests: until that is done it cannot tell.
 */
export function createEmbeddingRefiner(parts: {
  readonly model: string
  readonly embed: (texts: readonly string[], options: CallOptions) => Promise<readonly Embedding[]>
  /** Questions by tag, a dozen each. */
  readonly examples: () => Promise<ReadonlyMap<string, readonly string[]>>
}): SkillRefiner {
  const { model, embed, examples } = parts
  let centres: Centres | undefined
  let preparing = false
  let failure: unknown

  const prepare = async (): Promise<void> => {
    preparing = true
    try {
      const byTag = await examples()
      const vectors = await embed([...byTag.values()].flat(), {})
      centres = centresOf([...byTag], vectors)
    } catch (error) {
      failure = error
    } finally {
      preparing = false
    }
  }

  return {
    name: `the embedding model ${model}`,
    async skillsOf(question, options) {
      if (!centres) {
        const last = failure
        failure = undefined
        if (!preparing) void prepare()
        if (last !== undefined) throw last
        throw new ModelNetError('NO_CANDIDATE', 'the examples of the skills are being embedded')
      }
      const [vector] = await embed([question], options)
      return vector && nearest(vector, centres)
    },
  }
}

interface Centres {
  readonly common: Embedding
  /** Of unit length. */
  readonly skills: readonly { readonly tag: string; readonly centre: Embedding }[]
}

function centresOf(
  byTag: readonly (readonly [string, readonly string[]])[],
  vectors: readonly Embedding[],
): Centres | undefined {
  let at = 0
  const means = byTag.flatMap(([tag, { length }]) => {
    const mean = meanOf(vectors.slice(at, at + length))
    at += length
    return mean.length > 0 ? [{ tag, mean }] : []
  })
  const common = meanOf(means.map(({ mean }) => mean))
  return { common, skills: means.map(({ tag, mean }) => ({ tag, centre: direction(mean, common) })) }
}

function nearest(
  vector: Embedding,
  { common, skills }: Centres,
): readonly { tag: string; probability: number }[] | undefined {
  const own = direction(vector, common)
  const cosines = skills.map(({ centre }) => centre.reduce((sum, value, at) => sum + value * (own[at] ?? 0), 0))
  if (!(Math.max(...cosines) >= LIKE_NONE)) return undefined
  const weights = cosines.map(cosine => Math.exp(SHARPNESS * cosine))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return skills
    .map(({ tag }, at) => ({ tag, probability: (weights[at] ?? 0) / total }))
    .sort((a, b) => b.probability - a.probability)
}

function meanOf(vectors: readonly Embedding[]): Embedding {
  const [first = []] = vectors
  return first.map((_, at) => vectors.reduce((sum, vector) => sum + (vector[at] ?? 0), 0) / vectors.length)
}

function direction(vector: Embedding, common: Embedding): Embedding {
  const rest = vector.map((value, at) => value - (common[at] ?? 0))
  const length = Math.hypot(...rest) || 1
  return rest.map(value => value / length)
}
