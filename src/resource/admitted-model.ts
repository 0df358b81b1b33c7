import type { Admission, AdmissionSlot } from './admission.ts'
import { createDecodeSession } from './decode-session.ts'
import type { CallOptions, GeneratePart, LanguageModel } from './language-model.ts'

/** A model whose calls pass admission on behalf of one caller; a decode session keeps its place until it is closed. */
export function withAdmission(model: LanguageModel, admission: Admission, caller: string): LanguageModel {
  const { open, score, embed } = model
  const enter = (options: CallOptions = {}): Promise<AdmissionSlot> =>
    admission.enter(model.card, { ...options, caller })
  const during = async <T>(
    options: CallOptions | undefined,
    work: (left: CallOptions | undefined) => Promise<T>,
  ): Promise<T> => {
    const slot = await enter(options)
    try {
      return await work(timeLeft(options, slot))
    } finally {
      slot.release()
    }
  }
  return {
    card: model.card,
    async *generate(request, options) {
      const entering = enter(options)
      yield* signsOfLife(entering, admission)
      const slot = await entering
      let completionTokens = 0
      try {
        for await (const part of model.generate(request, timeLeft(options, slot))) {
          if (part.type === 'finish') completionTokens = part.usage.completionTokens
          yield part
        }
      } finally {
        slot.release({ completionTokens })
      }
    },
    ...(open
      ? {
          async open(request, options) {
            const slot = await enter(options)
            try {
              const session = await open.call(model, request, timeLeft(options, slot))
              return createDecodeSession({
                distribution: session.distribution,
                step: (step, stepOptions) => session.step(step, stepOptions),
                async close() {
                  try {
                    await session.close()
                  } finally {
                    slot.release()
                  }
                },
              })
            } catch (error) {
              slot.release()
              throw error
            }
          },
        }
      : {}),
    ...(score ? { score: (request, options) => during(options, left => score.call(model, request, left)) } : {}),
    ...(embed ? { embed: (request, options) => during(options, left => embed.call(model, request, left)) } : {}),
  }
}

/** A caller takes a peer for lost that says nothing for longer (`FailoverOptions.stallMs`, 20 s). */
const SIGN_OF_LIFE_MS = 5000

/** Empty text now and then while the call waits for its place: it is queued, not forgotten. */
async function* signsOfLife(entering: Promise<AdmissionSlot>, { clock }: Admission): AsyncGenerator<GeneratePart> {
  let isRead = false
  const entered = entering.then(
    () => true,
    () => true, // told to whoever waits for the place itself
  )
  try {
    for (;;) {
      const timer = new AbortController()
      const later = clock.sleep(SIGN_OF_LIFE_MS, timer.signal).then(
        () => false,
        () => false, // entered in time
      )
      const isOver = await Promise.race([entered, later])
      timer.abort('entered, or time to say so') // without a reason each call would make an error with its stack
      isRead = isOver
      if (isOver) return
      yield { type: 'text-delta', text: '' }
    }
  } finally {
    // nobody reads any more: the place, when it comes, is given back unused
    if (!isRead) void entering.then(slot => slot.release({ completionTokens: 0 })).catch(() => undefined)
  }
}

/** Waiting counts: what the model may still use of the caller's time. */
function timeLeft<T extends CallOptions>(options: T | undefined, slot: AdmissionSlot): T | undefined {
  if (options?.deadlineMs === undefined) return options
  return { ...options, deadlineMs: Math.max(0, options.deadlineMs - slot.waitedMs) }
}
