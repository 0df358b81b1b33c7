import type { CallOptions, EmbedResult, LanguageModel } from '../resource/index.ts'
import type { Candidate, Matcher } from '../service/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Failover } from './pathway/path.ts'
import { nobody, toReference } from './pathway/resolve.ts'

/** Vectors of texts by one model of the network. */
export interface NetworkEmbeddings extends EmbedResult {
  readonly model: string
  /** Node that made the last of them. */
  readonly node: string
}

/** Embeds texts with the model of this name, `model` or `model@node`, wherever it runs. */
export type NetworkEmbedder = (
  model: string,
  texts: readonly string[],
  options?: CallOptions,
) => Promise<NetworkEmbeddings>

export interface NetworkEmbedderComponents {
  readonly matcher: Matcher
  readonly failover: Failover
}

/** Texts that travel together: a holder that is lost costs no more than these. */
const BATCH = 64

/**
 * An embedding model is named, never chosen: vectors of different models do not compare. Its nodes stand in for one
 * another. Rejects with INVALID_REQUEST for a name of no one model, with UNSUPPORTED for a model that only answers.
 */
export function createNetworkEmbedder({ matcher, failover }: NetworkEmbedderComponents): NetworkEmbedder {
  return async (name, texts, options = {}) => {
    const candidates = holdersOf(name, matcher)
    let served = candidates[0]?.name ?? name
    const model = failover(
      candidates.map(candidate => watched(candidate, by => (served = by))),
      () => undefined, // `served` tells
    )
    const embeddings: EmbedResult['embeddings'][number][] = []
    let promptTokens = 0
    for (let from = 0; from < texts.length; from += BATCH) {
      const part = await required(model)({ texts: texts.slice(from, from + BATCH) }, options)
      embeddings.push(...part.embeddings)
      promptTokens += part.promptTokens
    }
    const node = served.slice(served.lastIndexOf('@') + 1)
    return { embeddings, promptTokens, model: model.card.id, node }
  }
}

function holdersOf(name: string, matcher: Matcher): readonly Candidate[] {
  const reference = toReference(name)
  if (reference.kind !== 'model') throw new ModelNetError('INVALID_REQUEST', notOne(name, matcher), modelParam)
  const found = matcher.candidates(reference, [], 'embed')
  if (found.length > 0) return found
  const answers = matcher.candidates(reference, [])
  if (answers.length === 0) throw nobody(name, reference, [], matcher)
  throw new ModelNetError(
    'UNSUPPORTED',
    `model ${reference.id} answers and makes no embeddings: a node offers them with \`embed: true\``,
    modelParam,
  )
}

const modelParam = { details: { param: 'model' } }

function notOne(name: string, matcher: Matcher): string {
  const ids = new Set(matcher.candidates({ kind: 'any' }, [], 'embed').map(({ model }) => model.card.id))
  const those = ids.size > 0 ? `there are ${[...ids].join(', ')}` : 'no node offers one now'
  return `expected the name of one embedding model, as vectors of different models do not compare, got ${name}; ${those}`
}

/** The same candidate, telling when it has answered. */
function watched(candidate: Candidate, onAnswer: (name: string) => void): Candidate {
  const { model, name } = candidate
  const { embed } = model
  if (!embed) return candidate
  return {
    ...candidate,
    model: {
      ...model,
      async embed(request, options) {
        const result = await embed.call(model, request, options)
        onAnswer(name)
        return result
      },
    },
  }
}

function required({ card, embed }: LanguageModel): NonNullable<LanguageModel['embed']> {
  if (!embed) throw new ModelNetError('UNSUPPORTED', `model ${card.id} makes no embeddings`)
  return embed
}
