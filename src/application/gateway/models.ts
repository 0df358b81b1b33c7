import type { DirectoryEntry } from '../../network/index.ts'

/** One entry of `/v1/models`: OpenAI's fields, and what OpenAI's list has no place for in `modelnet`. */
export interface ListedModel {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly owned_by: string
  readonly modelnet?: {
    readonly nodes: readonly string[]
    readonly tags: readonly string[]
    readonly capabilities: readonly string[]
    readonly contextLength: number
    readonly description: string
  }
}

/** The network itself, then every model that a live node offers, each once. */
export function listModels(entries: readonly DirectoryEntry[]): readonly ListedModel[] {
  const auto: ListedModel = { id: 'modelnet/auto', object: 'model', created: 0, owned_by: 'modelnet' }
  const models = new Map<string, ListedModel>()
  for (const entry of entries) {
    if (entry.state !== 'alive') continue
    for (const card of entry.cards) {
      const nodes = [...(models.get(card.id)?.modelnet?.nodes ?? []), entry.nodeId]
      const { tags, capabilities, contextLength, description } = card
      models.set(card.id, {
        id: card.id,
        object: 'model',
        created: card.issuedAt,
        owned_by: card.id.includes('/') ? (card.id.split('/')[0] ?? card.node) : card.node,
        modelnet: { nodes, tags, capabilities, contextLength, description },
      })
    }
  }
  return [auto, ...[...models.values()].toSorted((a, b) => a.id.localeCompare(b.id))]
}
