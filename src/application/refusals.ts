import { AUTO, type Coordinator, type NetworkEmbedder } from '../interaction/index.ts'
import type { ModelCard } from '../resource/index.ts'
import { isModelNetError, ModelNetError } from '../utils/errors.ts'
import { textsOf } from './deployment-on-demand.ts'

export interface RefusalsComponents {
  readonly inspect: Coordinator['inspect']
  /** Cards of every model that is known, of those this node may not use too. */
  readonly cards: () => readonly ModelCard[]
  readonly mayAsk: (card: ModelCard) => boolean
}

type Policy = Pick<RefusalsComponents, 'cards' | 'mayAsk'>

/**
 * The same coordinator; a request that names a model which policy keeps from this node fails with FORBIDDEN, where
 * otherwise nobody would seem to offer it.
 */
export function withRefusals(
  coordinator: Pick<Coordinator, 'ask'>,
  { inspect, ...policy }: RefusalsComponents,
): Pick<Coordinator, 'ask'> {
  return {
    async *ask(task, options = {}) {
      const { pathway = AUTO } = options
      try {
        return yield* coordinator.ask(task, options)
      } catch (error) {
        throw refusalOf(error, policy, () => (pathway === AUTO ? [] : textsOf(inspect(pathway).term)))
      }
    },
  }
}

/** The same for embeddings, whose model is always named. */
export function withEmbeddingRefusals(embed: NetworkEmbedder, policy: Policy): NetworkEmbedder {
  return (model, ...rest) =>
    embed(model, ...rest).catch(error => {
      throw refusalOf(error, policy, () => [model])
    })
}

/** The error to tell: FORBIDDEN where nobody was found and one of the names is of a model that policy keeps away. */
function refusalOf(error: unknown, { cards, mayAsk }: Policy, texts: () => readonly string[]): unknown {
  if (!isModelNetError(error) || (error.code !== 'MODEL_NOT_FOUND' && error.code !== 'NO_CANDIDATE')) return error
  const names = new Set(texts().map(text => text.split('@')[0]))
  const isNamed = ({ id }: ModelCard): boolean => names.has(id) || names.has(id.slice(id.lastIndexOf('/') + 1))
  const card = cards().find(card => isNamed(card) && !mayAsk(card))
  if (!card) return error
  const of = card.allow ? ` (it is for ${card.allow.join(', ')})` : ''
  return new ModelNetError('FORBIDDEN', `policy does not let this node use ${card.id} at ${card.node}${of}`, {
    cause: error,
  })
}
