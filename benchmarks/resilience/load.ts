import type { GenerateRequest, LanguageModel } from '../../src/resource/index.ts'
import { createScriptedCard } from '../../src/testing/index.ts'
import { type Clock, systemClock } from '../../src/utils/clock.ts'
import { toModelNetError } from '../../src/utils/errors.ts'
import type { Random } from '../../src/utils/random.ts'
import { type BenchNode, nextArrivalMs } from './node.ts'

/** A model without weights that says as many words as it is asked for, each after the time that a token takes. */
export interface PacedModel extends LanguageModel {
  tokensPerSecond: number
  /** Answers begun since the start. */
  readonly begun: number
}

export function createPacedModel(id: string, tokensPerSecond: number, clock: Clock = systemClock): PacedModel {
  let begun = 0
  const issuedAt = Math.floor(clock.now() / 1000)
  return {
    card: createScriptedCard({ id, card: { concurrency: 1, issuedAt, expiresAt: issuedAt + 3600 } }),
    tokensPerSecond,
    get begun() {
      return begun
    },
    async *generate({ messages }: GenerateRequest, { signal } = {}) {
      begun++
      const count = Number(messages.at(-1)?.content)
      for (let index = 0; index < count; index++) {
        await clock.sleep(1000 / this.tokensPerSecond, signal)
        yield { type: 'text-delta', text: 'word ' }
      }
      yield { type: 'finish', reason: 'stop', usage: { promptTokens: 1, completionTokens: count } }
    },
  }
}

/** Two tokens at least, six on average: most answers are short and some are long. */
export const MEAN_TOKENS = 6
export const lengthOf = (random: Random): number =>
  Math.min(40, 2 + Math.floor(Math.log(1 - random.next()) / Math.log(1 - 1 / (MEAN_TOKENS - 1))))

export interface Outcome {
  /** When it was sent, in ms from the start. */
  readonly sentMs: number
  /** Until the whole answer; undefined when there was none. */
  readonly ms?: number
  readonly code?: string
}

export interface OpenLoop {
  readonly random: Random
  readonly perSecond: number
  readonly seconds: number
  readonly deadlineMs: number
  /** Who answers the next request. */
  readonly model: () => LanguageModel
  /** @default the system clock */
  readonly clock?: Clock
}

/** Sends requests at random times whatever comes back, and waits for all of them. */
export async function openLoop(options: OpenLoop): Promise<Outcome[]> {
  const { random, perSecond, seconds, deadlineMs, model, clock = systemClock } = options
  const start = clock.monotonic()
  const pending: Promise<Outcome>[] = []
  const askOne = async (tokens: number): Promise<Outcome> => {
    const sent = clock.monotonic()
    const sentMs = sent - start
    try {
      const request: GenerateRequest = { messages: [{ role: 'user', content: String(tokens) }] }
      for await (const part of model().generate(request, { deadlineMs })) if (part.type === 'finish') break
      return { sentMs, ms: clock.monotonic() - sent }
    } catch (error) {
      return { sentMs, code: toModelNetError(error).code }
    }
  }
  for (let due = start; due < start + seconds * 1000; due += nextArrivalMs(random.next(), perSecond)) {
    await clock.sleep(Math.max(0, due - clock.monotonic()))
    pending.push(askOne(lengthOf(random)))
  }
  return Promise.all(pending)
}

/** Asks through a node as its own matching says. */
export const matched = (node: BenchNode, id: string) => (): LanguageModel => node.failover(node.candidates(id))
