import type { Directory } from '../../network/index.ts'
import type { MeasuredClaim, ModelCard } from '../../protocol/index.ts'
import type { ModelSpec } from '../engine.ts'
import { memoryOf } from '../placement.ts'
import type { WeightsName } from '../weights/manifest.ts'

/** A model that can be started where its weights are, or can be brought to. */
export interface DeployableModel extends WeightsName {
  readonly id: string
  readonly description: string
  readonly tags: readonly string[]
  readonly contextLength: number
  readonly concurrency: number
  readonly parameters?: number
  readonly claims?: readonly MeasuredClaim[]
}

/** Models that could run, whether or not some node runs them now. */
export interface Catalogue {
  /** By id, or by an id without its publisher where only one ends so. */
  find(name: string): DeployableModel | undefined
  list(): readonly DeployableModel[]
  close(): void
}

const MAX_REMEMBERED = 1024
const DEFAULT_CONCURRENCY = 4

/**
 * Remembers the models of every verified card that the directory showed, for when their nodes are gone. The weights of
 * an id are those that were seen first, unless the same node replaces them: a card of another node under a known name
 * changes nothing. `known` is never replaced.
 */
export function createCatalogue(directory: Directory, known: readonly DeployableModel[]): Catalogue {
  const fixed = new Map(known.map(model => [model.id, model]))
  const seen = new Map<string, { readonly node: string; readonly model: DeployableModel }>()

  const learn = (): void => {
    for (const { cards } of directory.entries())
      for (const card of cards) {
        const model = toDeployable(card)
        const before = seen.get(card.id)
        if (!model || fixed.has(card.id) || (before && before.node !== card.node)) continue
        seen.set(card.id, { node: card.node, model })
        const [oldest] = seen.keys()
        if (seen.size > MAX_REMEMBERED && oldest !== undefined) seen.delete(oldest)
      }
  }
  learn()
  const unlisten = directory.onChange(event => {
    if (event.type === 'node-join' || event.type === 'node-update') learn()
  })
  const list = (): readonly DeployableModel[] => [...fixed.values(), ...[...seen.values()].map(({ model }) => model)]

  return {
    find(name) {
      const exact = fixed.get(name) ?? seen.get(name)?.model
      if (exact) return exact
      const short = list().filter(({ id }) => id.endsWith(`/${name}`))
      return short.length === 1 ? short[0] : undefined
    },
    list,
    close: unlisten,
  }
}

/** Only files that llama.cpp runs; a model behind a server stays there. */
function toDeployable(card: ModelCard): DeployableModel | undefined {
  const { weights } = card
  if (weights?.format !== 'gguf') return undefined
  return {
    id: card.id,
    digest: weights.digest,
    bytes: weights.bytes,
    description: card.description,
    tags: card.tags,
    contextLength: card.contextLength,
    concurrency: card.concurrency ?? DEFAULT_CONCURRENCY,
    ...(weights.parameters !== undefined && { parameters: weights.parameters }),
    ...(card.claims && { claims: card.claims }),
  }
}

/** How an engine is told to run it from this file. */
export function toSpec(model: DeployableModel, file: string): ModelSpec {
  const { id, digest, description, tags, contextLength, concurrency, claims } = model
  return { id, digest, description, tags, contextLength, concurrency, file, ...(claims && { claims }) }
}

/** Bytes it takes when it runs. */
export const needOf = (model: DeployableModel): number => memoryOf({ ...model, weightsBytes: model.bytes })
