import { z } from 'zod'
import type { ModelCard } from '../protocol/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Ability, CapabilityMap, Evidence, EvidenceSource } from './capability-map.ts'

/** How many answers one piece of evidence stands for, by source: a thumb of a user says less than a hidden probe. */
export const SOURCE_RELIABILITY: Readonly<Record<Exclude<EvidenceSource, 'claim'>, number>> = {
  feedback: 0.3,
  judge: 0.5,
  audit: 0.9,
  grader: 1,
  probe: 1,
}

export interface CapabilityMapComponents {
  readonly clock: Clock
}

export interface CapabilityMapOptions {
  /** Answers a claim of a card may stand for, however many questions it names. @default 4 */
  readonly claimAnswers?: number
  /** Milliseconds after which evidence counts half. @default 7 days */
  readonly halfLifeMs?: number
  /** Expected share of right answers where nothing is known. @default 0.5 */
  readonly priorMean?: number
  /** The same for a tag that the model's own card does not list. @default 0.15 */
  readonly unlistedMean?: number
  /** Answers the prior stands for. @default 2 */
  readonly priorAnswers?: number
  /** Share of the evidence that stays when the weights of a model change. @default 0.1 */
  readonly keptOnNewVersion?: number
  /** Pairs of model and tag kept; the oldest are dropped. @default 100_000 */
  readonly maxEntries?: number
}

/** What is known of one model at one tag, as counts of right and wrong answers. */
export interface CapabilityRecord {
  /** `model@node` or `model`. */
  readonly model: string
  readonly tag: string
  readonly right: number
  readonly wrong: number
  /** Milliseconds since the epoch of the latest evidence. */
  readonly at: number
}

/** A capability map that learns: Beta posteriors with recency, told apart by node, exportable. */
export interface EvidenceMap extends CapabilityMap {
  /** Reads a verified card: its tags and claims set the prior; other weights than before widen what was known. */
  describe(card: ModelCard): void
  /** Own evidence, without claims: what a node may attest to others or keep over a restart. */
  export(): readonly CapabilityRecord[]
  /**
   * Adds records of an earlier run (`trust` 1) or of a peer. Each record counts `trust` of its answers and at most
   * `maxAnswers`, so that own evidence outweighs gossip. What is told `from` somebody replaces what was told from there
   * before, and is never exported. Throws INVALID_REQUEST for anything that is not a record.
   */
  import(
    records: unknown,
    options?: { readonly trust?: number; readonly maxAnswers?: number; readonly from?: string },
  ): void
}

interface Entry {
  right: number
  wrong: number
  at: number
}

interface Described {
  readonly tags: ReadonlySet<string>
  readonly claims: ReadonlyMap<string, { readonly n: number; readonly accuracy: number }>
  readonly digest: string | undefined
}

/** Sources of told evidence that are kept; the one heard from longest ago makes room. */
const MAX_SOURCES = 64

/** Answers one piece of evidence may stand for: sums stay finite whatever is told. */
const MAX_WEIGHT = 1e6

export const CapabilityRecordsSchema: z.ZodType<readonly CapabilityRecord[]> = z
  .array(
    z.object({
      model: z.string().min(1).max(300),
      tag: z.string().min(1).max(64),
      right: z.number().min(0).max(1e9),
      wrong: z.number().min(0).max(1e9),
      at: z.number().min(0),
    }),
  )
  .max(100_000)

/**
 * The posterior of a model at a tag is Beta(prior + claim + right, prior + claim + wrong), with counts that halve every
 * `halfLifeMs` (AI-ModelNet 2.2 step 3). Evidence of one node never speaks for another node's copy, since weights
 * behind an equal name may differ; asked for the bare model name, the map pools all its nodes.
 */
export function createCapabilityMap(
  { clock }: CapabilityMapComponents,
  options: CapabilityMapOptions = {},
): EvidenceMap {
  const { claimAnswers = 4, halfLifeMs = 7 * 24 * 3600_000, priorMean = 0.5, unlistedMean = 0.15 } = options
  const { priorAnswers = 2, keptOnNewVersion = 0.1, maxEntries = 100_000 } = options
  const entries = new Map<string, Map<string, Entry>>()
  const described = new Map<string, Described>()
  /** What others attested: by source, then model and tag. */
  const told = new Map<string, Map<string, Entry>>()
  /** Names with a node, by bare model name. */
  const nodes = new Map<string, Set<string>>()
  let size = 0

  const decay = (from: number, to: number): number => 0.5 ** (Math.max(0, to - from) / halfLifeMs)

  function register(model: string): void {
    const [bare, node] = splitName(model)
    if (node === undefined) return
    const names = nodes.get(bare) ?? new Set()
    nodes.set(bare, names.add(model))
  }

  function entryOf(model: string, tag: string, at: number): Entry {
    let tags = entries.get(model)
    if (!tags) {
      tags = new Map()
      entries.set(model, tags)
      register(model)
    }
    const found = tags.get(tag)
    if (found) return found
    if (size >= maxEntries) dropOldest()
    const entry = { right: 0, wrong: 0, at }
    tags.set(tag, entry)
    size++
    return entry
  }

  function dropOldest(): void {
    const [model, tags] = entries.entries().next().value ?? []
    if (model === undefined || !tags) return
    entries.delete(model)
    size -= tags.size
  }

  function add(model: string, tag: string, right: number, wrong: number, at: number): void {
    const when = Math.min(at, clock.now())
    const entry = entryOf(model, tag, when)
    // what is older than the latest evidence has itself aged by then
    const aged = when < entry.at ? decay(when, entry.at) : 1
    const kept = when > entry.at ? decay(entry.at, when) : 1
    entry.right = entry.right * kept + right * aged
    entry.wrong = entry.wrong * kept + wrong * aged
    entry.at = Math.max(entry.at, when)
  }

  function countsOf(model: string, tag: string): { right: number; wrong: number } {
    const counts = { right: 0, wrong: 0 }
    for (const entry of [entries.get(model)?.get(tag), ...[...told.values()].map(all => all.get(keyOf(model, tag)))]) {
      if (!entry) continue
      const kept = decay(entry.at, clock.now())
      counts.right += entry.right * kept
      counts.wrong += entry.wrong * kept
    }
    return counts
  }

  function priorOf(model: string, tag: string): { mean: number; answers: number; claimed: number } {
    const card = described.get(model)
    const claim = card?.claims.get(tag)
    if (claim) {
      const claimed = Math.min(claimAnswers, claim.n)
      const answers = priorAnswers + claimed
      return { mean: (priorMean * priorAnswers + claim.accuracy * claimed) / answers, answers, claimed }
    }
    return { mean: card && !card.tags.has(tag) ? unlistedMean : priorMean, answers: priorAnswers, claimed: 0 }
  }

  function posterior(names: Iterable<string>, tag: string): Ability {
    let right = 0
    let wrong = 0
    let evidence = 0
    let prior = { mean: priorMean, answers: priorAnswers, claimed: 0 }
    for (const name of names) {
      const counts = countsOf(name, tag)
      right += counts.right
      wrong += counts.wrong
      const own = priorOf(name, tag)
      if (own.claimed >= prior.claimed && described.has(name)) prior = own
      evidence += counts.right + counts.wrong
    }
    const a = prior.mean * prior.answers + right
    const b = (1 - prior.mean) * prior.answers + wrong
    return {
      mean: a / (a + b),
      deviation: Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1))),
      evidence: evidence + prior.claimed,
    }
  }

  return {
    ability(model, tag) {
      const [, node] = splitName(model)
      return posterior(node === undefined ? [model, ...(nodes.get(model) ?? [])] : [model], tag)
    },
    observe({ model, tag, source, score, weight = 1, at }: Evidence) {
      if (!(score >= 0 && score <= 1 && weight > 0)) return
      if (source === 'claim') {
        const card = described.get(model) ?? { tags: new Set<string>(), claims: new Map(), digest: undefined }
        described.set(model, { ...card, claims: new Map(card.claims).set(tag, { n: weight, accuracy: score }) })
        register(model)
        return
      }
      const answers = Math.min(weight, MAX_WEIGHT) * SOURCE_RELIABILITY[source]
      add(model, tag, score * answers, (1 - score) * answers, at)
    },
    describe(card) {
      const name = `${card.id}@${card.node}`
      const before = described.get(name)
      const digest = card.weights?.digest
      if (before && before.digest !== digest) {
        const heard = [...told.values()].flatMap(all =>
          [...all].flatMap(([key, entry]) => (key.startsWith(keyOf(name, '')) ? [entry] : [])),
        )
        for (const entry of [...(entries.get(name)?.values() ?? []), ...heard]) {
          entry.right *= keptOnNewVersion
          entry.wrong *= keptOnNewVersion
        }
      }
      register(name)
      described.set(name, {
        tags: new Set(card.tags),
        claims: new Map(card.claims?.map(({ tag, n, accuracy }) => [tag, { n, accuracy }])),
        digest,
      })
    },
    export: () =>
      [...entries].flatMap(([model, tags]) =>
        [...tags].map(([tag, { right, wrong, at }]) => ({ model, tag, right, wrong, at })),
      ),
    import(records, { trust = 1, maxAnswers = Number.POSITIVE_INFINITY, from } = {}) {
      const parsed = CapabilityRecordsSchema.safeParse(records)
      if (!parsed.success)
        throw new ModelNetError('INVALID_REQUEST', 'expected capability records {model, tag, right, wrong, at}', {
          cause: parsed.error,
        })
      const heard = new Map<string, Entry>()
      for (const { model, tag, right, wrong, at } of parsed.data) {
        const answers = right + wrong
        const share = answers > 0 ? Math.min(trust, maxAnswers / answers) : 0
        if (share <= 0) continue
        if (from === undefined) add(model, tag, right * share, wrong * share, at)
        else {
          register(model)
          heard.set(keyOf(model, tag), { right: right * share, wrong: wrong * share, at: Math.min(at, clock.now()) })
        }
      }
      if (from === undefined) return
      told.delete(from)
      told.set(from, heard)
      const [oldest] = told.keys()
      if (told.size > MAX_SOURCES && oldest !== undefined) told.delete(oldest)
    },
  }
}

const keyOf = (model: string, tag: string): string => `${model}\n${tag}`

/** `model@node` in its two parts; a bare name has no node. */
function splitName(name: string): readonly [string, string | undefined] {
  const at = name.lastIndexOf('@')
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)]
}
