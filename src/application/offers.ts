import type { Directory } from '../network/index.ts'
import type { LanguageModel, ModelCard } from '../resource/index.ts'
import type { Offer } from '../service/index.ts'

export interface OffersComponents {
  readonly directory: Directory
  /** The models of this node, as its coordinator asks them; read at every match, as they may come and go. */
  readonly local: readonly LanguageModel[]
  /** A model on a peer. */
  readonly remote: (card: ModelCard) => LanguageModel
  /** Whether this node may use a model of a peer, by its own policy and by what the card says. @default all */
  readonly mayAsk?: (card: ModelCard) => boolean
}

/**
 * Everything that can be asked now, for matching: the models of this node and those of every node in the directory.
 * A remote model is made once per card, so that what is kept with it (its speed, its sessions) lasts.
 */
export function createOffers(components: OffersComponents): () => readonly Offer[] {
  const { directory, remote, mayAsk = () => true } = components
  const models = new WeakMap<ModelCard, LanguageModel>()
  const remoteModel = (card: ModelCard): LanguageModel => {
    const known = models.get(card)
    if (known) return known
    const made = remote(card)
    models.set(card, made)
    return made
  }
  return () =>
    directory.entries().flatMap(entry => {
      const found = entry.self ? components.local : entry.cards.filter(mayAsk).map(remoteModel)
      const facts = {
        nodeId: entry.nodeId,
        state: entry.state,
        ...(entry.status !== undefined && { status: entry.status }),
        ...(entry.rttMs !== undefined && { rttMs: entry.rttMs }),
      }
      return found.map(model => ({ model, ...facts }))
    })
}
