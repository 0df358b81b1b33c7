import { MAX_AD_CAPABILITIES, type ModelCard } from '../../protocol/index.ts'

/** The tag under which a model is looked for by its id or by the last part of it; ids hold signs that tags do not. */
export const toModelTag = (id: string): string => `model:${id.replaceAll(/[^\p{L}\p{N}._+/-]/gu, '_')}`.slice(0, 64)

/**
 * What these models are found by: what they can be asked for (`can:generate`), their names and their tags. At most
 * `MAX_AD_CAPABILITIES`: of a node with many models the tags of the last are left out first.
 */
export function capabilitiesOf(cards: readonly ModelCard[]): readonly string[] {
  const can = cards.flatMap(({ capabilities }) => capabilities.map(name => `can:${name}`))
  const names = cards.flatMap(({ id }) => [toModelTag(id), toModelTag(id.slice(id.lastIndexOf('/') + 1))])
  const tags = cards.flatMap(card => card.tags)
  return [...new Set([...can, ...names, ...tags])].slice(0, MAX_AD_CAPABILITIES)
}
