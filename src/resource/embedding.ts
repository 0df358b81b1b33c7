import type { Embedding } from '../protocol/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { LoadedModel } from './engine.ts'
import type { CallOptions, EmbedRequest, EmbedResult, LanguageModel, ModelCard } from './language-model.ts'

/** Answers `embed` calls of one model. */
export type Embedder = (request: EmbedRequest, options?: CallOptions) => Promise<EmbedResult>

/** The vector with length 1, so that those of one model compare whatever engine made them. Throws ENGINE_FAILED. */
export function toUnitLength(vector: readonly number[]): Embedding {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  if (!(length > 0 && Number.isFinite(length)))
    throw new ModelNetError('ENGINE_FAILED', 'the model gave an embedding that has no direction')
  return vector.map(value => value / length)
}

/** A model that makes embeddings and answers nothing: a sentence encoder, or one that is configured so. */
export function createEncoderModel(parts: {
  readonly card: ModelCard
  readonly embed: Embedder
  readonly close: () => Promise<void>
}): LoadedModel {
  return { ...withoutAnswers(parts.card), embed: parts.embed, close: parts.close }
}

/** Throws INVALID_REQUEST for a text of which there is nothing to embed. */
export function checkTexts({ texts }: EmbedRequest): void {
  const empty = texts.indexOf('')
  if (empty >= 0) throw new ModelNetError('INVALID_REQUEST', `text ${empty} is empty: expected at least one character`)
}

function withoutAnswers(card: ModelCard): Pick<LanguageModel, 'card' | 'generate'> {
  return {
    card,
    // biome-ignore lint/correctness/useYield: it refuses before there is a part
    async *generate() {
      throw new ModelNetError('UNSUPPORTED', `model ${card.id} makes embeddings and does not answer`)
    },
  }
}
