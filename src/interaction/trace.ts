import { z } from 'zod'
import type { Analysis, Task } from '../service/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Answer, PathwayEvent, RecordedCall } from './pathway/path.ts'
import { REMEMBERED } from './pathway/replay-call.ts'
import type { Term } from './pathway/term.ts'
import { TermSchema } from './pathway/term.ts'

/** Everything that is needed to explain a run, and to run it again without asking anybody. */
export interface Trace {
  readonly version: 1
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly task: Task
  readonly analysis: Analysis
  readonly term: Term
  readonly pathway: string
  readonly why: string
  /** Seed of all randomness of the run. */
  readonly seed: string
  /** What was believed of models when it was asked, by `tag model`. */
  readonly abilities: Readonly<
    Record<string, { readonly mean: number; readonly deviation: number; readonly evidence: number }>
  >
  /** All events but deltas (the texts stand at the end of their calls), with ms from the start. */
  readonly events: readonly (PathwayEvent & { readonly at: number })[]
  readonly text: string
}

/** Collects a trace while a run goes on. */
export interface TraceRecorder {
  record(event: PathwayEvent): void
  ability(model: string, tag: string, ability: Trace['abilities'][string]): void
  finish(text: string): Trace
}

export function createTraceRecorder(
  head: Omit<Trace, 'version' | 'events' | 'abilities' | 'text'>,
  now: () => number,
): TraceRecorder {
  const events: (PathwayEvent & { at: number })[] = []
  const abilities: Record<string, Trace['abilities'][string]> = {}
  const started = now()
  return {
    record(event) {
      if (event.type !== 'call-delta' && event.type !== 'text-delta')
        events.push({ at: round(now() - started), ...event })
    },
    ability(model, tag, ability) {
      abilities[`${tag} ${model}`] = ability
    },
    finish: text => ({ version: 1, ...head, abilities, events, text }),
  }
}

/** The calls of a trace by scope, as a replay needs them. */
export function recordedCalls(trace: Trace): ReadonlyMap<string, RecordedCall> {
  const calls = new Map<string, RecordedCall>()
  for (const event of trace.events) {
    if (event.type === 'call-end') {
      const { answer, model, node, ms, cost } = event
      calls.set(event.call, { answer, model, node, ms, cost })
    } else if (event.type === 'call-fail') {
      const { type: _type, at: _at, call, ...failure } = event
      calls.set(call, failure)
    } else if (event.type === 'note' && event.facts && REMEMBERED in event.facts) {
      const remembered = answer.safeParse(event.facts[REMEMBERED])
      if (remembered.success)
        calls.set(`${event.stage} ${REMEMBERED}`, { answer: remembered.data, model: '', node: '', ms: 0, cost: 0 })
    }
  }
  return calls
}

/** Checks a stored trace. Throws INVALID_REQUEST. */
export function parseTrace(value: unknown): Trace {
  const result = TraceSchema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ModelNetError('INVALID_REQUEST', `this is not a trace: ${issue?.message} at ${issue?.path.join('.')}`)
}

/** JSON Schema (2020-12) of a trace, for those who show or keep traces. */
export const traceJsonSchema = (): Record<string, unknown> =>
  z.toJSONSchema(TraceSchema, { unrepresentable: 'any' }) as Record<string, unknown>

const usage = z.object({ promptTokens: z.number(), completionTokens: z.number() })
const answer: z.ZodType<Answer> = z.object({
  text: z.string(),
  by: z.string(),
  usage,
  confidence: z.number().exactOptional(),
  weight: z.number().exactOptional(),
  finish: z.enum(['stop', 'length', 'cancelled']).exactOptional(),
  tainted: z.boolean().exactOptional(),
  abstained: z.boolean().exactOptional(),
})
const at = z.number().describe('milliseconds from the start of the run')
const number = z.number().nullable().describe('null stands for no limit')
const need = z.object({ reference: z.string(), capability: z.string() })
const bound = z.object({ calls: number, depth: number, tokens: number, needs: z.array(need), answers: number })

const events = [
  z.object({ at, type: z.literal('pathway-start'), pathway: z.string(), why: z.string(), bound }),
  z.object({
    at,
    type: z.literal('call-start'),
    call: z.string(),
    model: z.string(),
    node: z.string(),
    why: z.string(),
  }),
  z.object({
    at,
    type: z.literal('call-end'),
    call: z.string(),
    model: z.string(),
    node: z.string(),
    ms: z.number(),
    firstMs: z.number().exactOptional(),
    cost: z.number(),
    share: z.number().exactOptional(),
    answer,
  }),
  z.object({
    at,
    type: z.literal('call-fail'),
    call: z.string(),
    code: z.string(),
    message: z.string(),
    ms: z.number(),
    stopped: z.boolean().exactOptional(),
    text: z.string().exactOptional(),
  }),
  z.object({ at, type: z.literal('text-reset'), why: z.string() }),
  z.object({
    at,
    type: z.literal('note'),
    stage: z.string(),
    message: z.string(),
    facts: z.record(z.string(), z.unknown()).exactOptional(),
  }),
] as const

// The parts of a task are checked by those who made it; a trace only carries them.
const TraceSchema: z.ZodType<Trace> = z.object({
  version: z.literal(1),
  startedAt: z.number(),
  task: z.looseObject({
    id: z.string(),
    messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
  }),
  analysis: z.looseObject({ tags: z.array(z.object({ tag: z.string(), probability: z.number() })) }),
  term: TermSchema,
  pathway: z.string(),
  why: z.string(),
  seed: z.string(),
  abilities: z.record(z.string(), z.object({ mean: z.number(), deviation: z.number(), evidence: z.number() })),
  events: z.array(z.discriminatedUnion('type', events)),
  text: z.string(),
}) as unknown as z.ZodType<Trace> // loose parts are wider than their types

const round = (ms: number): number => Math.round(ms * 1000) / 1000
