import { AUTO, type Coordinator } from '../interaction/index.ts'
import type { ModelCard } from '../resource/index.ts'
import { isModelNetError, ModelNetError } from '../utils/errors.ts'
import { textsOf } from './deployment-on-demand.ts'

export interface RefusalsComponents {
  readonly inspect: Coordinator['inspect']
  /** Cards of every model that is known, of those this node may not use too. */
  readonly cards: () => readonly ModelCard[]
  readonly mayAsk: (card: ModelCard) => boolean
}

/**
 * The same coordinator; a request that names a model which policy keeps from this node fails with FORBIDDEN, where
 * otherwise nobody would seem to offer it.
 */
export function withRefusals(
  coordinator: Pick<Coordinator, 'ask'>,
  { inspect, cards, mayAsk }: RefusalsComponents,
): Pick<Coordinator, 'ask'> {
  const barred = (pathway: Parameters<Coordinator['inspect']>[0]): ModelCard | undefined => {
    const names = new Set(textsOf(inspect(pathway).term).map(text => text.split('@')[0]))
    const isNamed = ({ id }: ModelCard): boolean => names.has(id) || names.has(id.slice(id.lastIndexOf('/') + 1))
    return cards().find(card => isNamed(card) && !mayAsk(card))
  }
  return {
    async *ask(task, options = {}) {
      try {
        return yield* coordinator.ask(task, options)
      } catch (error) {
        const { pathway = AUTO } = options
        const misses = isModelNetError(error) && (error.code === 'MODEL_NOT_FOUND' || error.code === 'NO_CANDIDATE')
        const card = misses && pathway !== AUTO ? barred(pathway) : undefined
        if (!card) throw error
        const of = card.allow ? ` (it is for ${card.allow.join(', ')})` : ''
        throw new ModelNetError('FORBIDDEN', `policy does not let this node use ${card.id} at ${card.node}${of}`, {
          cause: error,
        })
      }
    },
  }
}
