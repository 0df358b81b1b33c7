import type { Capability, ModelCard } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import type { ModelSpec } from './engine.ts'

/** Seconds a card is valid; a node issues it anew before that. */
export const CARD_LIFETIME_S: number = 24 * 60 * 60

/** What an engine knows of a model beside what its operator says in the spec. */
export interface ModelFacts {
  readonly engine: string
  readonly capabilities: readonly Capability[]
  readonly contextLength: number
  readonly concurrency: number
  readonly description: string
  /** Used when the operator names none. */
  readonly tags: readonly string[]
  readonly weights?: ModelCard['weights']
  readonly tokenizer?: ModelCard['tokenizer']
}

/** The card of a model: the operator's words where given, else the engine's. Absent facts are absent fields. */
export function createCard(spec: ModelSpec, facts: ModelFacts, node: string, clock: Clock): ModelCard {
  const issuedAt = Math.floor(clock.now() / 1000)
  const { weights, tokenizer } = facts
  return {
    version: 1,
    id: spec.id,
    node,
    description: spec.description ?? facts.description,
    tags: spec.tags && spec.tags.length > 0 ? spec.tags : facts.tags,
    capabilities: facts.capabilities,
    contextLength: facts.contextLength,
    engine: facts.engine,
    ...(weights ? { weights } : {}),
    ...(tokenizer ? { tokenizer } : {}),
    ...(spec.claims && spec.claims.length > 0 ? { claims: spec.claims } : {}),
    ...(spec.price ? { price: spec.price } : {}),
    concurrency: facts.concurrency,
    issuedAt,
    expiresAt: issuedAt + CARD_LIFETIME_S,
  }
}
