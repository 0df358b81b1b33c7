import { describe, expect, it } from 'vitest'
import { createScriptedCard, createScriptedModel } from '../testing/scripted-model.ts'
import type { Clock } from '../utils/clock.ts'
import type { Admission, AdmissionOptions, AdmissionSlot } from './admission.ts'
import { createAdmission } from './admission.ts'
import { withAdmission } from './admitted-model.ts'

const card = createScriptedCard({ card: { concurrency: 1 } })
const request = { messages: [{ role: 'user' as const, content: 'hi' }] }

function setUp(options: Partial<AdmissionOptions> = {}): { admission: Admission; pass(ms: number): void } {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => new Promise(() => undefined) }
  return { admission: createAdmission({ clock, ...options }), pass: ms => (now += ms) }
}

/** Callers in the order in which they got their turn. */
async function turns(admission: Admission, callers: readonly string[]): Promise<readonly string[]> {
  const order: string[] = []
  const first = await admission.enter(card, { caller: 'first' })
  const waiting = callers.map(async caller => {
    const slot = await admission.enter(card, { caller })
    order.push(caller)
    await Promise.resolve()
    slot.release()
  })
  first.release()
  await Promise.all(waiting)
  return order
}

describe('admission', () => {
  it('runs as many calls as the card says and queues the others', async () => {
    const { admission } = setUp()
    const slot = await admission.enter(card, { caller: 'a' })
    const second = admission.enter(card, { caller: 'a' })
    expect(admission.status(card)).toEqual({ id: 'scripted', running: 1, queued: 1, slots: 1, tokensPerSecond: 0 })
    slot.release()
    slot.release()
    await second
    expect(admission.status(card)).toMatchObject({ running: 1, queued: 0 })
  })

  it('says when to retry once the queue is full', async () => {
    const { admission, pass } = setUp({ maxQueued: 1 })
    const slot = await admission.enter(card, { caller: 'a' })
    pass(2000)
    slot.release()
    await admission.enter(card, { caller: 'a' })
    void admission.enter(card, { caller: 'a' })
    await expect(admission.enter(card, { caller: 'a' })).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      details: { retryAfterMs: 4000 },
    })
  })

  it('serves a caller that asks little before the backlog of one that asks much', async () => {
    const { admission } = setUp()
    const slots: AdmissionSlot[] = [await admission.enter({ ...card, concurrency: 2 }, { caller: 'much' })]
    slots.push(await admission.enter({ ...card, concurrency: 2 }, { caller: 'other' }))
    const order: string[] = []
    for (const caller of ['much', 'much', 'little'])
      void admission.enter({ ...card, concurrency: 2 }, { caller }).then(() => order.push(caller))
    slots[1]?.release()
    await expect.poll(() => order).toEqual(['little'])
  })

  it('keeps the order of arrival among equals', async () => {
    expect(await turns(setUp().admission, ['a', 'b', 'a', 'c'])).toEqual(['a', 'b', 'a', 'c'])
  })

  it('gives a place in a full queue to a caller who has none', async () => {
    const { admission } = setUp({ maxQueued: 2 })
    await admission.enter(card, { caller: 'flood' })
    const kept = admission.enter(card, { caller: 'flood' })
    const evicted = admission.enter(card, { caller: 'flood' })
    const newcomer = admission.enter(card, { caller: 'quiet' })
    await expect(evicted).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect(admission.status(card).queued).toBe(2)
    void kept
    void newcomer
  })

  it('refuses at once what is not likely to be done before its deadline', async () => {
    const { admission, pass } = setUp()
    const slot = await admission.enter(card, { caller: 'a' })
    pass(1000)
    slot.release()
    await admission.enter(card, { caller: 'a' })
    // a second for the one that runs, a second for itself, and a quarter more to be sure
    await expect(admission.enter(card, { caller: 'b', deadlineMs: 2400 })).rejects.toMatchObject({ code: 'OVERLOADED' })
    void admission.enter(card, { caller: 'b', deadlineMs: 2600 })
    expect(admission.status(card).queued).toBe(1)
  })

  it('counts only the calls that come before one of this caller, since callers take turns', async () => {
    const { admission, pass } = setUp()
    const slot = await admission.enter(card, { caller: 'flood' })
    pass(1000)
    slot.release()
    await admission.enter(card, { caller: 'flood' })
    for (let count = 0; count < 10; count++) void admission.enter(card, { caller: 'flood' })
    await expect(admission.enter(card, { caller: 'flood', deadlineMs: 4000 })).rejects.toMatchObject({
      code: 'OVERLOADED',
    })
    void admission.enter(card, { caller: 'quiet', deadlineMs: 4000 })
    expect(admission.status(card).queued).toBe(11)
  })

  it('does not begin what can no longer be done in time, and goes on with the next', async () => {
    const { admission, pass } = setUp()
    const first = await admission.enter(card, { caller: 'a' })
    pass(1000)
    first.release()
    const second = await admission.enter(card, { caller: 'a' })
    const late = admission.enter(card, { caller: 'b', deadlineMs: 3000 })
    const patient = admission.enter(card, { caller: 'c' })
    pass(2500)
    second.release()
    await expect(late).rejects.toMatchObject({ code: 'OVERLOADED' })
    await patient
    expect(admission.status(card)).toMatchObject({ running: 1, queued: 0 })
  })

  it('does not take a cut answer for a quick one', async () => {
    const { admission, pass } = setUp()
    const whole = await admission.enter(card, { caller: 'a' })
    pass(1000)
    whole.release({ completionTokens: 10 })
    for (let count = 0; count < 20; count++) {
      const cut = await admission.enter(card, { caller: 'a' })
      pass(1)
      cut.release({ completionTokens: 0 })
    }
    await admission.enter(card, { caller: 'a' })
    await expect(admission.enter(card, { caller: 'b', deadlineMs: 2000 })).rejects.toMatchObject({ code: 'OVERLOADED' })
  })

  it('forgets a call that was aborted while it waited', async () => {
    const { admission } = setUp()
    const slot = await admission.enter(card, { caller: 'a' })
    const controller = new AbortController()
    const waiting = admission.enter(card, { caller: 'b', signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    slot.release()
    expect(admission.status(card)).toMatchObject({ running: 0, queued: 0 })
  })

  it('measures tokens per second of the calls it let through', async () => {
    const { admission, pass } = setUp()
    const slot = await admission.enter(card, { caller: 'a' })
    pass(500)
    slot.release({ completionTokens: 100 })
    expect(admission.status(card).tokensPerSecond).toBe(200)
  })

  it('counts the time a call waited against its deadline', async () => {
    const { admission, pass } = setUp()
    const slot = await admission.enter(card, { caller: 'a' })
    const seen: (number | undefined)[] = []
    const model = withAdmission(
      {
        card,
        async *generate(_, options) {
          seen.push(options?.deadlineMs)
          yield { type: 'finish', reason: 'stop', usage: { promptTokens: 1, completionTokens: 1 } }
        },
      },
      admission,
      'b',
    )
    const first = model.generate(request, { deadlineMs: 1000 })[Symbol.asyncIterator]().next()
    pass(300)
    slot.release()
    await first
    expect(seen).toEqual([700])
  })

  it('holds the place of a session until it is closed, and of an answer until it is no longer read', async () => {
    const { admission } = setUp()
    const model = withAdmission(createScriptedModel({ answer: 'a b c', card: { concurrency: 1 } }), admission, 'local')
    const session = await model.open?.(request)
    expect(admission.status(card).running).toBe(1)
    await session?.close()
    await session?.close()
    expect(admission.status(card).running).toBe(0)
    for await (const _ of model.generate(request)) break
    expect(admission.status(card).running).toBe(0)
  })
})
