import { describe, expect, it } from 'vitest'
import { createManualClock } from '../testing/index.ts'
import type { CallOutcome, CallRecord } from './call-record.ts'
import { createCallRecord } from './call-record.ts'

function recorder() {
  const clock = createManualClock()
  const calls: CallRecord = createCallRecord({ clock })
  async function call(ms: number, outcome: CallOutcome, load?: number): Promise<void> {
    const end = calls.begin('m@a', load)
    await clock.advance(ms)
    end(outcome)
  }
  return { clock, calls, call, speed: (reported = 0) => calls.tokensPerSecond('m@a', reported) }
}

describe('the record of calls', () => {
  it('takes the time in the queue for no slowness of the model', async () => {
    const { call, speed } = recorder()
    await call(400, { firstPartMs: 310, completionTokens: 10 }, 4)
    expect(speed()).toBe(100)
  })

  it('forgets what was called longest ago, never what is called now', () => {
    const { calls } = recorder()
    const end = calls.begin('m@first')
    calls.begin('m@second')({ completionTokens: 10, firstPartMs: 1 })
    for (let index = 0; index < 10; index++) calls.begin('m@second')({ firstPartMs: 1 })
    expect(calls.firstPartMs('m@second', 0.5)).toBe(1)
    for (let index = 0; index < 5000; index++) calls.begin(`m@${index}`)()
    expect(calls.firstPartMs('m@second', 0.5)).toBeUndefined()
    expect(calls.outstanding('m@first')).toBe(1)
    end()
    expect(calls.outstanding('m@first')).toBe(0)
  })

  it('believes what was streamed rather than a queue that was not there', async () => {
    const { call, speed } = recorder()
    await call(400, { firstPartMs: 40, completionTokens: 9 }, 4)
    expect(speed()).toBe(25)
  })

  it('takes the pace of a stream, whatever was expected of the queue', async () => {
    const { call, speed } = recorder()
    // alone: the prompt takes 50 ms, each of ten tokens 10 ms more
    for (let count = 0; count < 20; count++) await call(150, { firstPartMs: 60, completionTokens: 10, parts: 10 })
    const alone = speed() ?? 0
    expect(alone).toBeCloseTo(10 / 0.15)
    // behind others for a second, of which only half a second was expected, or three
    for (let count = 0; count < 20; count++) await call(1150, { firstPartMs: 1060, completionTokens: 10, parts: 10 }, 4)
    for (let count = 0; count < 20; count++)
      await call(1150, { firstPartMs: 1060, completionTokens: 10, parts: 10 }, 20)
    expect(speed()).toBeCloseTo(alone, 0)
  })

  it('does not take the whole answer in one piece for a stream', async () => {
    const { call, speed } = recorder()
    await call(400, { firstPartMs: 399, completionTokens: 10, parts: 1 }, 4)
    expect(speed()).toBe(100)
  })

  it('takes a call that was outrun in a queue for no slowness', async () => {
    const { call, speed } = recorder()
    for (let count = 0; count < 20; count++) await call(100, { firstPartMs: 10, completionTokens: 10 })
    for (let count = 0; count < 6; count++) await call(50, { outrun: true }, 5)
    expect(speed()).toBeCloseTo(100)
  })

  it('sees within a few calls that a model has slowed', async () => {
    const { call, speed } = recorder()
    for (let count = 0; count < 20; count++) await call(100, { firstPartMs: 10, completionTokens: 10 })
    for (let count = 0; count < 6; count++) await call(500, { firstPartMs: 50, completionTokens: 10 })
    expect(speed()).toBeLessThan(35)
  })

  it('sees it too when another candidate always answers first', async () => {
    const { call, speed } = recorder()
    for (let count = 0; count < 20; count++) await call(100, { firstPartMs: 10, completionTokens: 10 })
    for (let count = 0; count < 6; count++) await call(50, { outrun: true })
    expect(speed()).toBeLessThan(60)
  })

  it('lets a model that nobody calls recover, to its best or to what it reports', async () => {
    const { clock, call, speed } = recorder()
    await call(100, { firstPartMs: 10, completionTokens: 10 })
    for (let count = 0; count < 10; count++) await call(500, { firstPartMs: 50, completionTokens: 10 })
    const slow = speed() ?? 0
    await clock.advance(4000)
    expect(speed()).toBe(slow)
    await clock.advance(30_000)
    expect(speed()).toBeGreaterThan(90)
    expect(speed(200)).toBeGreaterThan(180)
  })
})
