import type { Clock } from '../utils/clock.ts'
import { isAbortError, ModelNetError, toModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import { FINER_TAGS, refineTags } from './analysis/operations.ts'
import type { EvidenceMap } from './evidence-map.ts'
import type { Offer } from './matcher.ts'

/** A question whose right answer the asker knows. */
export interface ProbeQuestion {
  readonly question: string
  /** 0 wrong .. 1 right; an answer that cannot be read is wrong. */
  grade(answer: string): number
}

/** Makes questions for tags; undefined where it has none. The answering side must not be able to foresee them. */
export type ProbeSource = (tag: string) => ProbeQuestion | undefined

/** One answered probe. */
export interface ProbeOutcome {
  readonly model: string
  readonly node: string
  readonly tag: string
  readonly question: string
  readonly score: number
  /** Milliseconds until the whole answer. */
  readonly ms: number
}

export interface ProberComponents {
  readonly offers: () => readonly Offer[]
  readonly abilities: Pick<EvidenceMap, 'ability' | 'observe'>
  readonly questions: ProbeSource
  readonly clock: Clock
  readonly logger: Logger
  readonly onOutcome?: (outcome: ProbeOutcome) => void
}

export interface ProberOptions {
  /** Probes of one model at one tag until it counts as known. @default 20 */
  readonly probes?: number
  /** Milliseconds after which a known model is probed once more, as weights behind a name may change. @default 1 hour */
  readonly renewMs?: number
  /** Milliseconds for one answer. @default 30000 */
  readonly deadlineMs?: number
  /** Tokens of one answer. @default 256 */
  readonly maxTokens?: number
}

/** Finds out what models can do by asking them, in the same form and by the same way as users' questions. */
export interface Prober {
  /** Asks one question of the model it would be most useful to know better; undefined when there is nothing to learn. */
  probe(signal?: AbortSignal): Promise<ProbeOutcome | undefined>
  /** Probes every so many milliseconds until the signal ends it; then resolves. */
  run(everyMs: number, signal: AbortSignal): Promise<void>
}

/** Its next call would wait for others: a probe would keep users waiting. */
function isBusy({ model, status }: Offer): boolean {
  const load = status?.models.find(({ id }) => id === model.card.id)
  return load !== undefined && load.running + load.queued >= Math.max(1, load.slots)
}

interface Pair {
  readonly offer: Offer
  readonly name: string
  readonly tag: string
  /** The time of its last probe, and how many there were. */
  readonly asked: number
  readonly at: number
}

/**
 * Hidden probes (collaboration-methods F1): per model and skill up to `probes` graded questions, first where a claim is
 * highest and least is known, since there a false one does most harm. Models with a price are not probed, and busy ones
 * later. A call that fails says nothing of ability and is no evidence.
 */
export function createProber(components: ProberComponents, options: ProberOptions = {}): Prober {
  const { offers, abilities, questions, clock, logger, onOutcome } = components
  const { probes = 20, renewMs = 3600_000, deadlineMs = 30_000, maxTokens = 256 } = options
  /** By model, node, tag and weights: other weights are another model. */
  const seen = new Map<string, { asked: number; at: number }>()

  const keyOf = (offer: Offer, tag: string): string =>
    JSON.stringify([offer.model.card.id, offer.nodeId, tag, offer.model.card.weights?.digest ?? ''])

  function pairs(): readonly Pair[] {
    return offers()
      .filter(({ state, status }) => state === 'alive' && status?.draining !== true)
      .filter(({ model: { card } }) => card.capabilities.includes('generate') && !card.price)
      .filter(offer => !isBusy(offer))
      .flatMap(offer => {
        const { tags, claims = [] } = offer.model.card
        const skills = new Set([...tags, ...claims.map(({ tag }) => tag)].filter(tag => tag.startsWith('skill:')))
        const name = `${offer.model.card.id}@${offer.nodeId}`
        // who names a part of a field is asked about that part
        const named = [...skills].filter(tag => ![...skills].some(other => FINER_TAGS[other] === tag))
        return named.map(tag => ({ offer, name, tag, ...(seen.get(keyOf(offer, tag)) ?? { asked: 0, at: 0 }) }))
      })
  }

  /** Standard deviation of what is believed, more where more is believed of it. */
  const worth = ({ name, tag }: Pair): number => {
    const { mean, deviation } = abilities.ability(name, tag)
    return deviation * mean
  }

  function next(): { readonly pair: Pair; readonly question: ProbeQuestion } | undefined {
    const all = pairs()
    const open = all.filter(({ asked, at }) => asked < probes || clock.now() - at >= renewMs)
    const ordered = open
      .map(pair => ({ pair, isNew: pair.asked < probes, worth: worth(pair) }))
      .sort((a, b) => Number(b.isNew) - Number(a.isNew) || b.worth - a.worth || a.pair.at - b.pair.at)
    for (const { pair } of ordered) {
      const question = questions(pair.tag)
      if (question) return { pair, question }
    }
    return undefined
  }

  async function probe(signal?: AbortSignal): Promise<ProbeOutcome | undefined> {
    const chosen = next()
    if (!chosen) return undefined
    const { pair, question } = chosen
    const { model, nodeId } = pair.offer
    const key = keyOf(pair.offer, pair.tag)
    seen.set(key, { asked: pair.asked + 1, at: clock.now() })
    const started = clock.monotonic()
    let text = ''
    try {
      const request = { messages: [{ role: 'user' as const, content: question.question }], maxTokens, temperature: 0 }
      for await (const part of model.generate(request, { deadlineMs, ...(signal && { signal }) }))
        if (part.type === 'text-delta') text += part.text
    } catch (error) {
      signal?.throwIfAborted()
      if (isAbortError(error)) throw error
      // it keeps its turn, so that a model that only fails does not take all probes
      logger.debug({ model: pair.name, code: toModelNetError(error).code }, 'a probe was not answered')
      return undefined
    }
    const score = question.grade(text)
    for (const { tag } of refineTags([{ tag: pair.tag, probability: 1 }], question.question))
      abilities.observe({ model: pair.name, tag, source: 'probe', score, at: clock.now() })
    const outcome: ProbeOutcome = {
      model: model.card.id,
      node: nodeId,
      tag: pair.tag,
      question: question.question,
      score,
      ms: clock.monotonic() - started,
    }
    onOutcome?.(outcome)
    return outcome
  }

  return {
    probe,
    async run(everyMs, signal) {
      if (!(everyMs > 0))
        throw new ModelNetError('INVALID_REQUEST', `expected a time between probes, got ${everyMs} ms`)
      while (!signal.aborted) {
        try {
          await clock.sleep(everyMs, signal)
          await probe(signal)
        } catch (error) {
          if (!signal.aborted) logger.warn({ reason: String(error) }, 'a probe failed')
        }
      }
    },
  }
}
