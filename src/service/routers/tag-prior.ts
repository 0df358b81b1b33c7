import type { EncodedQuestion, Router, TrainingData } from '../router.ts'
import { armMeans } from '../routing/arm-means.ts'
import { packFloats, unpackFloats } from '../routing/packing.ts'

interface State {
  readonly arms: number
  readonly tags: readonly string[]
  /** `tags x arms`. */
  readonly means: Float32Array
  /** Of each arm over all questions. */
  readonly overall: Float32Array
}

/** Questions' worth of an arm's overall mean in that of a tag: few questions of a tag say little. */
const PRIOR_QUESTIONS = 5

/**
 * Tag prior: an arm is as good at a question as it was at the training questions of the same tags, weighted by how
 * probable each tag is. Knows nothing but tags; a question without any is expected to go as all did.
 */
export function trainTagPriorRouter({ questions, arms, scores }: TrainingData): Router {
  const tags = [...new Set(questions.flatMap(({ tags = [] }) => tags.map(({ tag }) => tag)))].sort()
  const overall = Float32Array.from(armMeans(questions.length, arms, scores))
  const sums = Float64Array.from({ length: tags.length * arms }, (_, at) => PRIOR_QUESTIONS * (overall[at % arms] ?? 0))
  const weights = new Float64Array(sums.length).fill(PRIOR_QUESTIONS)
  questions.forEach(({ tags: of = [] }, row) => {
    for (const { tag, probability } of of)
      for (let arm = 0; arm < arms; arm++) {
        const score = scores[row * arms + arm] ?? Number.NaN
        if (Number.isNaN(score)) continue
        const at = tags.indexOf(tag) * arms + arm
        sums[at] = (sums[at] ?? 0) + probability * score
        weights[at] = (weights[at] ?? 0) + probability
      }
  })
  return createRouter({ arms, tags, overall, means: Float32Array.from(sums, (sum, at) => sum / (weights[at] ?? 1)) })
}

export function restoreTagPriorRouter(state: unknown): Router {
  const saved = state as ReturnType<typeof toSaved> // written by `save` below; checked by the caller's digest
  return createRouter({ ...saved, means: unpackFloats(saved.means), overall: unpackFloats(saved.overall) })
}

const toSaved = (state: State) => ({ ...state, means: packFloats(state.means), overall: packFloats(state.overall) })

function createRouter(state: State): Router {
  const { arms, tags, means, overall } = state
  const places = new Map(tags.map((tag, place) => [tag, place]))

  const estimateOf = (arm: number, known: readonly { place: number; probability: number }[]): number => {
    const total = known.reduce((sum, { probability }) => sum + probability, 0)
    if (total === 0) return overall[arm] ?? 0
    return known.reduce(
      (sum, { place, probability }) => sum + (probability / total) * (means[place * arms + arm] ?? 0),
      0,
    )
  }

  return {
    kind: 'tag-prior',
    arms,
    save: () => toSaved(state),
    estimate({ tags: of = [] }: EncodedQuestion, subset) {
      const known = of.flatMap(({ tag, probability }) => {
        const place = places.get(tag)
        return place === undefined ? [] : [{ place, probability }]
      })
      return Float64Array.from({ length: subset?.length ?? arms }, (_, at) => estimateOf(subset?.[at] ?? at, known))
    },
  }
}
