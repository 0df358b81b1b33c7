import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createManualClock } from '../testing/index.ts'
import { createAlarm } from './alarm.ts'

describe('an alarm', () => {
  it('rings at the time that was set, in order, and not for what was unset', async () => {
    const clock = createManualClock()
    const alarm = createAlarm(clock)
    const rung: string[] = []
    alarm.after(30, () => rung.push(`c at ${clock.monotonic()}`))
    alarm.after(10, () => rung.push(`a at ${clock.monotonic()}`))
    const unset = alarm.after(20, () => rung.push('b'))
    unset()
    await clock.advance(100)
    expect(rung).toEqual(['a at 10', 'c at 30'])
  })

  it('sleeps once for a thousand timers that are set and unset', async () => {
    const clock = createManualClock()
    const alarm = createAlarm(clock)
    for (let step = 0; step < 1000; step++) {
      const unset = [alarm.after(30_000, () => undefined), alarm.after(200, () => undefined)]
      await clock.advance(1)
      for (const each of unset) each()
    }
    expect(clock.sleepers).toBeLessThanOrEqual(2)
    alarm.close()
  })

  it('rings each once at its time, whatever is set and unset when', async () => {
    const event = fc.record({
      ms: fc.integer({ min: 0, max: 50 }),
      pass: fc.integer({ min: 0, max: 20 }),
      keep: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 12 }), async events => {
        const clock = createManualClock()
        const alarm = createAlarm(clock)
        const rung: number[] = []
        const expected: number[] = []
        for (const { ms, pass, keep } of events) {
          const at = clock.monotonic() + ms
          const unset = alarm.after(ms, () => {
            expect(clock.monotonic()).toBe(at)
            rung.push(at)
          })
          if (keep) expected.push(at)
          else unset()
          await clock.advance(pass)
        }
        await clock.advance(100)
        expect(rung).toEqual(expected.toSorted((a, b) => a - b))
        alarm.close()
      }),
      { numRuns: 50 },
    )
  })

  it('forgets all when it is closed, and sleeps no more', async () => {
    const clock = createManualClock()
    const alarm = createAlarm(clock)
    let rung = 0
    alarm.after(10, () => rung++)
    alarm.close()
    alarm.after(10, () => rung++)
    await clock.advance(100)
    expect([rung, clock.sleepers]).toEqual([0, 0])
  })
})
