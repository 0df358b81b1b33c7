import type { NodeState } from '../network/index.ts'
import type { ModelStatus, NodeStatus } from '../protocol/index.ts'
import type { LanguageModel } from '../resource/index.ts'
import { FINER_TAGS } from './analysis/operations.ts'
import type { CallRecord } from './call-record.ts'
import type { Ability, CapabilityMap } from './capability-map.ts'
import type { CircuitBreakers } from './circuit-breaker.ts'
import type { Candidate, Matcher, ModelReference } from './matching.ts'

/** One model at one node, as the directory sees it now. */
export interface Offer {
  readonly model: LanguageModel
  readonly nodeId: string
  readonly state: NodeState
  readonly status?: NodeStatus
  readonly rttMs?: number
}

export interface MatcherComponents {
  /** What there is at this moment; asked at every match. */
  readonly offers: () => readonly Offer[]
  readonly abilities: CapabilityMap
  /** Nodes with an open circuit get no work. */
  readonly breakers?: CircuitBreakers
  /** This node's own calls, fresher than any status of a peer. */
  readonly calls?: CallRecord
}

export interface MatcherOptions {
  /** Tokens of an answer and of a prompt, for prediction of time and cost. @default 60 */
  readonly expectedTokens?: number
  /** Tokens per second of a model nobody measured at any node. @default 50 */
  readonly defaultTokensPerSecond?: number
  /** Qualities closer than this are equal, and the sooner answer wins. @default 0.02 */
  readonly tolerance?: number
  /** Standard deviations taken off the expected quality: unknown models must prove themselves. @default 0.5 */
  readonly caution?: number
}

interface Scored {
  readonly candidate: Candidate
  readonly score: number
  readonly deviation: number
}

/** Copies of one model at several nodes are equal until evidence sets them so many standard deviations apart. */
const COPY_DEVIATIONS = 1.5

/**
 * Matching (AI-ModelNet 2.2, step 4): requirements against the capability map and live load, best first. Quality is
 * the mean ability over the tags of the task, weighted by their probability; among equals the one that would be done
 * first leads.
 */
export function createMatcher(
  { offers, abilities, breakers, calls }: MatcherComponents,
  options: MatcherOptions = {},
): Matcher {
  const { expectedTokens = 60, defaultTokensPerSecond = 50, tolerance = 0.02, caution = 0.5 } = options

  const available = ({ state, status, model, nodeId }: Offer): boolean =>
    state === 'alive' && status?.draining !== true && breakers?.state(nameOf(model, nodeId)) !== 'open'

  /** Tokens per second, if anybody has measured them. */
  function speedOf(offer: Offer): number | undefined {
    const reported = statusOf(offer)?.tokensPerSecond ?? 0
    const seen = calls?.tokensPerSecond(nameOf(offer.model, offer.nodeId), reported)
    return seen ?? (reported > 0 ? reported : undefined)
  }

  /** A copy that was never asked is taken to be as fast as the others are in the middle. */
  function speedOfCopies(id: string, live: readonly Offer[]): number {
    const known = live.filter(({ model }) => model.card.id === id).flatMap(offer => speedOf(offer) ?? [])
    return known.toSorted((a, b) => a - b)[Math.floor(known.length / 2)] ?? defaultTokensPerSecond
  }

  function timeOf(offer: Offer, name: string, live: readonly Offer[]): Pick<Candidate, 'latencyMs' | 'load'> {
    const status = statusOf(offer)
    const serviceMs = (expectedTokens / (speedOf(offer) ?? speedOfCopies(offer.model.card.id, live))) * 1000
    const slots = Math.max(1, status?.slots ?? offer.model.card.concurrency ?? 1)
    // our own calls may not be in the peer's last status yet, and may be: the greater count is the safer one
    const busy = Math.max((status?.running ?? 0) + (status?.queued ?? 0), calls?.outstanding(name) ?? 0)
    const load = 1 + Math.max(0, busy + 1 - slots) / slots
    return { latencyMs: (offer.rttMs ?? 0) + serviceMs * load, load }
  }

  function score(
    offer: Offer,
    tags: readonly { readonly tag: string; readonly probability: number }[],
    live: readonly Offer[],
  ): Scored {
    const { model, nodeId } = offer
    const name = nameOf(model, nodeId)
    const ability = mix(
      tags.map(({ tag, probability }) => ({
        weight: probability,
        ability: abilities.ability(name, asListed(tag, model.card.tags)),
      })),
    )
    const { price } = model.card
    return {
      score: ability.mean - caution * ability.deviation,
      deviation: ability.deviation,
      candidate: {
        model,
        name,
        ability,
        ...timeOf(offer, name, live),
        cost: price ? ((price.input + price.output) * expectedTokens) / 1e6 : 0,
      },
    }
  }

  return {
    knows: reference => reference.kind !== 'model' || named(offers(), reference).length > 0,
    candidates(reference, tags, capable = 'generate') {
      const live = offers().filter(offer => available(offer) && offer.model.card.capabilities.includes(capable))
      const wanted = exactest(withSkills(tags), live)
      switch (reference.kind) {
        case 'any':
          return rank(
            live.map(offer => score(offer, wanted, live)),
            tolerance,
          )
        case 'tag': {
          const tag = reference.tag.includes(':') ? reference.tag : `skill:${reference.tag}`
          const serving = live.filter(
            ({ model, nodeId }) =>
              model.card.tags.includes(tag) || abilities.ability(nameOf(model, nodeId), tag).evidence >= 1,
          )
          return rank(
            serving.map(offer =>
              score(offer, exactest([{ tag, probability: 1 }, ...finerThan(tag, tags)], live), live),
            ),
            tolerance,
          )
        }
        case 'model':
          return rank(
            named(live, reference).map(offer => score(offer, wanted, live)),
            tolerance,
          )
      }
    },
  }
}

const statusOf = ({ status, model }: Offer): ModelStatus | undefined =>
  status?.models.find(({ id }) => id === model.card.id)

const nameOf = (model: LanguageModel, nodeId: string): string => `${model.card.id}@${nodeId}`

/** A language or a format is no skill: it must not outvote the field when abilities are averaged. */
function withSkills(
  tags: readonly { readonly tag: string; readonly probability: number }[],
): readonly { readonly tag: string; readonly probability: number }[] {
  const skills = tags.filter(({ tag }) => tag.startsWith('skill:'))
  return skills.length > 0 ? skills : tags
}

/** What the task says more exactly than the tag that is asked for. */
const finerThan = (
  tag: string,
  tags: readonly { readonly tag: string; readonly probability: number }[],
): readonly { readonly tag: string; readonly probability: number }[] =>
  tags.filter(other => FINER_TAGS[other.tag] === tag)

/** Of a tag and one that refines it only the finer one counts, if any model lists it. */
function exactest(
  tags: readonly { readonly tag: string; readonly probability: number }[],
  live: readonly Offer[],
): readonly { readonly tag: string; readonly probability: number }[] {
  const finer = tags.filter(
    ({ tag }) => FINER_TAGS[tag] !== undefined && live.some(({ model }) => model.card.tags.includes(tag)),
  )
  const refined = new Set(finer.map(({ tag }) => FINER_TAGS[tag]))
  return tags.filter(each => !refined.has(each.tag) && (FINER_TAGS[each.tag] === undefined || finer.includes(each)))
}

/** A model that says nothing finer than the field is known by the field. */
function asListed(tag: string, listed: readonly string[]): string {
  const field = FINER_TAGS[tag]
  const isExact = listed.some(other => FINER_TAGS[other] !== undefined && FINER_TAGS[other] === field)
  return field !== undefined && listed.includes(field) && !isExact ? field : tag
}

/** The full id wins; a name without its publisher will do where only one id ends so. */
function named(live: readonly Offer[], reference: Extract<ModelReference, { kind: 'model' }>): readonly Offer[] {
  const { id, node } = reference
  const exact = live.filter(({ model }) => model.card.id === id)
  const short = exact.length > 0 ? exact : live.filter(({ model }) => model.card.id.endsWith(`/${id}`))
  const unambiguous = new Set(short.map(({ model }) => model.card.id)).size <= 1 ? short : []
  return node === undefined ? unambiguous : unambiguous.filter(({ nodeId }) => isNode(nodeId, node))
}

/** Every Ed25519 peer id begins with the same characters, so what follows them will do as a prefix. */
const COMMON_PREFIX = '12D3KooW'

const isNode = (nodeId: string, prefix: string): boolean =>
  nodeId.startsWith(prefix) ||
  (nodeId.startsWith(COMMON_PREFIX) && nodeId.slice(COMMON_PREFIX.length).startsWith(prefix))

/** Ability over several tags at once: deviations add as those of independent beliefs. */
function mix(parts: readonly { readonly weight: number; readonly ability: Ability }[]): Ability {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0)
  if (total <= 0) return { mean: 0.5, deviation: 0.29, evidence: 0 }
  let mean = 0
  let variance = 0
  let evidence = 0
  for (const { weight, ability } of parts) {
    const share = weight / total
    mean += share * ability.mean
    variance += (share * ability.deviation) ** 2
    evidence += share * ability.evidence
  }
  return { mean, deviation: Math.sqrt(variance), evidence }
}

/** Best first; from the best downward, what is as good as the leader of its group is ordered by completion time. */
function rank(scored: readonly Scored[], tolerance: number): readonly Candidate[] {
  const rest = [...scored].sort((a, b) => b.score - a.score || a.candidate.name.localeCompare(b.candidate.name))
  const ranked: Candidate[] = []
  while (rest.length > 0) {
    const leader = rest[0]
    if (!leader) break
    const group = rest.filter(other => isEqual(leader, other, tolerance))
    group.sort((a, b) => a.candidate.latencyMs - b.candidate.latencyMs)
    ranked.push(...group.map(({ candidate }) => candidate))
    for (const member of group) rest.splice(rest.indexOf(member), 1)
  }
  return ranked
}

function isEqual(leader: Scored, other: Scored, tolerance: number): boolean {
  const distance = leader.candidate.ability.mean - other.candidate.ability.mean
  if (leader.score - other.score <= tolerance) return true
  const isCopy = leader.candidate.model.card.id === other.candidate.model.card.id
  return isCopy && distance <= COPY_DEVIATIONS * Math.hypot(leader.deviation, other.deviation)
}
