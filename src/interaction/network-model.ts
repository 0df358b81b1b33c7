import type { GenerateRequest, ModelCard } from '../protocol/index.ts'
import type { LanguageModel } from '../resource/index.ts'
import type { Preference } from '../service/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Coordinator } from './coordinator.ts'
import { AUTO } from './coordinator.ts'
import type { Term } from './pathway/term.ts'

export interface NetworkModelOptions {
  /** @default 'auto' */
  readonly pathway?: string | Term
  /** Id on the card. @default 'modelnet/auto' */
  readonly id?: string
  /** Node id on the card. */
  readonly node: string
  readonly clock: Clock
  readonly preference?: Preference
}

/** Seconds a card of the network is good for. */
const CARD_SECONDS = 3600

/** The network itself, or one pathway of it, as a model among models: it can be asked, nested and offered to others. */
export function asLanguageModel(coordinator: Coordinator, options: NetworkModelOptions): LanguageModel {
  const { pathway = AUTO, id = 'modelnet/auto', node, clock } = options
  const { preference = { quality: 1, cost: 0, latency: 0.01 } } = options
  const issuedAt = Math.floor(clock.now() / 1000)
  const card: ModelCard = {
    version: 1,
    id,
    node,
    description: pathway === AUTO ? 'The network: whoever answers best, alone or together' : 'A pathway of the network',
    tags: ['kind:pathway'],
    capabilities: ['generate'],
    contextLength: 1_000_000,
    engine: 'modelnet',
    issuedAt,
    expiresAt: issuedAt + CARD_SECONDS,
  }
  let count = 0
  return {
    card,
    async *generate(request: GenerateRequest, call = {}) {
      const { messages, ...rest } = request
      const task = {
        id: `${id}-${++count}`,
        messages,
        options: rest,
        budget: call.deadlineMs === undefined ? {} : { deadlineMs: call.deadlineMs },
        preference,
      }
      const run = coordinator.ask(task, { pathway, ...(call.signal ? { signal: call.signal } : {}) })
      try {
        let step = await run.next()
        for (; !step.done; step = await run.next()) {
          const event = step.value
          if (event.type === 'text-delta') yield { type: 'text-delta', text: event.text }
          else if (event.type === 'text-reset')
            throw new ModelNetError('ENGINE_FAILED', `what was streamed does not hold: ${event.why}`)
        }
        yield { type: 'finish', reason: step.value.finish, usage: step.value.usage }
      } finally {
        await run.return(undefined as never) // the reader may have stopped early
      }
    },
  }
}
