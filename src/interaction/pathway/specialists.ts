import type { Analysis, Candidate, Matcher } from '../../service/index.ts'
import { toReference } from './resolve.ts'

/** Abilities closer than this, or than two standard deviations, do not say who is better. */
const GAP = 0.1

/** A model that says it knows more fields than this divides none of them with others: it is no specialist. */
const MAX_FIELDS = 3

/** Most models asked where it is not known which of them covers the question. */
const MAX_SPECIALISTS = 3

/**
 * Distinct models for one skill of which none is known to be better, and that can say how sure they are. A label covers
 * more than one specialist may know (one adds, one multiplies): such models are best asked together.
 */
export function closeSpecialists(reference: string, analysis: Analysis, matcher: Matcher): readonly Candidate[] {
  const found = matcher.candidates(toReference(reference), analysis.tags)
  const [leader] = found
  if (!leader) return []
  const seen = new Set<string>()
  const close = found.filter(({ model, ability }) => {
    if (seen.has(model.card.id)) return false
    seen.add(model.card.id)
    if (model.card.id !== leader.model.card.id && fieldsOf(model.card.tags) > MAX_FIELDS) return false
    const uncertainty = 2 * Math.hypot(ability.deviation, leader.ability.deviation)
    return leader.ability.mean - ability.mean <= Math.max(GAP, uncertainty) && tellsConfidence(model.card.capabilities)
  })
  // ranks count from the top: the models asked must be the first ones
  return close.slice(0, MAX_SPECIALISTS)
}

const tellsConfidence = (capabilities: readonly string[]): boolean =>
  capabilities.includes('tokens') || capabilities.includes('bytes')

const fieldsOf = (tags: readonly string[]): number => tags.filter(tag => tag.startsWith('skill:')).length
