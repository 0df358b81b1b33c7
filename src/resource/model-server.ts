import { z } from 'zod'
import type { CallContext, CallHandler, CallHandlers } from '../network/index.ts'
import {
  DecodeStepSchema,
  DistributionKindSchema,
  EmbedRequestSchema,
  encodeDecodeResult,
  type GeneratePart,
  GenerateRequestSchema,
  ModelIdSchema,
  ScoreRequestSchema,
} from '../protocol/index.ts'
import { createAlarm } from '../utils/alarm.ts'
import type { Clock } from '../utils/clock.ts'
import { systemClock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import { noTracing, TRACEPARENT, type Tracing } from '../utils/tracing.ts'
import type { Admission } from './admission.ts'
import { withAdmission } from './admitted-model.ts'
import type { CallOptions, DecodeSession, LanguageModel } from './language-model.ts'

export interface ModelHandlersOptions {
  /** Bounds what peers may have in flight. @default no bound, for callers in this process */
  readonly admission?: Admission
  /** A decode session without a step for so long is closed, so that its slot does not stay taken. @default 120000 */
  readonly sessionIdleMs?: number
  /** @default the system clock */
  readonly clock?: Clock
  /** Calls of peers are followed as spans under those of the peers. @default not followed */
  readonly tracing?: Tracing
}

/** A trace is for those who watch: one that is malformed is left out, and the call goes on. */
const traceparent = z.string().regex(TRACEPARENT).optional().catch(undefined)
const GenerateBody = z.object({ model: ModelIdSchema, request: GenerateRequestSchema, traceparent })
const DecodeBody = GenerateBody.extend({
  distribution: DistributionKindSchema.exactOptional(),
  openMs: z.int().min(1).exactOptional(),
})
const ScoreBody = z.object({ model: ModelIdSchema, request: ScoreRequestSchema })
const EmbedBody = z.object({ model: ModelIdSchema, request: EmbedRequestSchema })

/**
 * Serves models over a channel: `generate` streams parts; `decode` answers first with the kind of distribution, then
 * each step with a result; `score` gives one answer; `embed` gives one vector a part and the usage last. What callers send is checked before a model sees it.
 */
export function createModelHandlers(
  models: () => readonly LanguageModel[],
  options: ModelHandlersOptions = {},
): CallHandlers {
  const { admission, clock = systemClock, sessionIdleMs = 120_000, tracing = noTracing } = options
  const find = (id: string, context: CallContext): LanguageModel => {
    const model = models().find(candidate => candidate.card.id === id)
    if (!model) throw new ModelNetError('MODEL_NOT_FOUND', `this node offers no model ${id}`)
    return admission ? withAdmission(model, admission, context.peer) : model
  }

  const generate: CallHandler = async function* (body, _call, context) {
    const { model, request, traceparent: parent } = parse(GenerateBody, body)
    const answer = (): AsyncGenerator<GeneratePart> =>
      toGenerator(find(model, context).generate(request, toOptions(context)))
    yield* tracing.follow(
      'modelnet.serve',
      { 'modelnet.model': model, 'modelnet.caller': context.peer },
      answer,
      parent,
    )
  }

  const decode: CallHandler = async function* (body, call, context) {
    const asked = parse(DecodeBody, body)
    const facts = { 'modelnet.model': asked.model, 'modelnet.caller': context.peer }
    yield* tracing.follow('modelnet.decode', facts, () => decodeSteps(asked, call, context), asked.traceparent)
  }

  async function* decodeSteps(
    { model: id, request, distribution, openMs }: z.infer<typeof DecodeBody>,
    call: Parameters<CallHandler>[1],
    context: CallContext,
  ): AsyncGenerator<unknown> {
    const model = find(id, context)
    if (!model.open) throw unsupported(id, 'decode sessions')
    const session = await model.open(request, {
      ...toOptions(context),
      ...(openMs === undefined ? {} : { deadlineMs: Math.min(openMs, context.deadlineMs ?? openMs) }),
      ...(distribution ? { distribution } : {}),
    })
    try {
      yield session.distribution
      for await (const part of untilIdle(call.parts, clock, sessionIdleMs)) {
        const step = parse(DecodeStepSchema, part)
        yield encodeDecodeResult(await stepOf(session, step, context))
      }
    } finally {
      await session.close()
    }
  }

  const score: CallHandler = async function* (body, _call, context) {
    const { model: id, request } = parse(ScoreBody, body)
    const model = find(id, context)
    if (!model.score) throw unsupported(id, 'scores')
    yield await model.score(request, toOptions(context))
  }

  const embed: CallHandler = async function* (body, _call, context) {
    const { model: id, request } = parse(EmbedBody, body)
    const model = find(id, context)
    if (!model.embed) throw unsupported(id, 'embeddings')
    const { embeddings, promptTokens } = await model.embed(request, toOptions(context))
    yield* embeddings
    yield { promptTokens }
  }

  return { generate, decode, score, embed }
}

async function* toGenerator<T>(parts: AsyncIterable<T>): AsyncGenerator<T> {
  yield* parts
}

const toOptions = ({ signal, deadlineMs }: CallContext): CallOptions => ({
  signal,
  ...(deadlineMs === undefined ? {} : { deadlineMs }),
})

const stepOf = (
  session: DecodeSession,
  step: z.infer<typeof DecodeStepSchema>,
  { signal }: CallContext,
): ReturnType<DecodeSession['step']> => session.step(step, { signal })

const unsupported = (id: string, what: string): ModelNetError =>
  new ModelNetError('UNSUPPORTED', `model ${id} does not offer ${what}`)

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ModelNetError('INVALID_REQUEST', `${issue?.path.join('.') || 'the message'}: ${issue?.message}`)
}

/** The parts of a caller; throws DEADLINE_EXCEEDED when none came for so long. */
async function* untilIdle(parts: AsyncIterable<unknown>, clock: Clock, idleMs: number): AsyncGenerator<unknown> {
  const reader = parts[Symbol.asyncIterator]()
  const alarm = createAlarm(clock)
  const nextInTime = (): Promise<IteratorResult<unknown>> =>
    new Promise((resolve, reject) => {
      const unset = alarm.after(idleMs, () =>
        reject(new ModelNetError('DEADLINE_EXCEEDED', `the decode session was idle for ${idleMs} ms and is closed`)),
      )
      reader.next().then(resolve, reject).finally(unset)
    })
  try {
    for (let next = await nextInTime(); !next.done; next = await nextInTime()) yield next.value
  } finally {
    alarm.close()
    await reader.return?.()
  }
}
