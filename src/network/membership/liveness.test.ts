import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  dialFailed,
  discovered,
  goodbye,
  heard,
  type Liveness,
  linkDown,
  linkUp,
  MAX_RETRY_MS,
  renewed,
  type Step,
  tick,
} from './liveness.ts'

const options = { leaveAfterMs: 5000, heartbeatMs: 500, pauseMs: 1000 }
const alive = (at = 0): Liveness => linkUp(discovered(at), at).liveness
/** A member that was heard each half second until `at`. */
const heardUntil = (at: number): Liveness => {
  let liveness = alive()
  for (let time = 500; time <= at; time += 500) liveness = heard(liveness, time, 1).liveness
  return liveness
}

describe('the life of a member', () => {
  it('begins with a link, not with a rumour', () => {
    expect(discovered(0)).toMatchObject({ state: 'suspect', joined: false, dialAt: 0 })
    expect(linkUp(discovered(0), 5)).toMatchObject({ liveness: { state: 'alive' }, transition: 'joined' })
  })

  it('is in doubt at once when the link is lost, over after a while, and new with the next link', () => {
    const down = linkDown(heardUntil(10_000), 10_100)
    expect(down).toMatchObject({ liveness: { state: 'suspect', dialAt: 10_100 }, transition: 'suspected' })
    expect(tick(down.liveness, 15_000, 0, options).transition).toBeUndefined()
    const left = tick(down.liveness, 15_100, 0, options)
    expect(left).toMatchObject({ liveness: { state: 'left' }, transition: 'left' })
    expect(linkUp(left.liveness, 16_000).transition).toBe('joined')
    expect(linkUp(down.liveness, 11_000).transition).toBe('recovered')
  })

  it('is in doubt after two and a half seconds of silence on an open link, and no longer with the next word', () => {
    const quiet = heardUntil(20_000)
    expect(tick(quiet, 21_500, 0, options).transition).toBeUndefined()
    const suspected = tick(quiet, 22_500, 0, options)
    expect(suspected.transition).toBe('suspected')
    expect(heard(suspected.liveness, 22_600)).toMatchObject({ liveness: { state: 'alive' }, transition: 'recovered' })
  })

  it('is not doubted for what this node slept through', () => {
    const quiet = heardUntil(20_000)
    expect(tick(quiet, 30_000, 9500, options).transition).toBeUndefined()
    const down = linkDown(quiet, 20_000).liveness
    expect(tick(down, 30_000, 9500, options).transition).toBeUndefined()
  })

  it('ends with a goodbye: not looked for, not heard, until a newer record or a new link', () => {
    const gone = goodbye(heardUntil(1000))
    expect(gone).toMatchObject({ liveness: { state: 'left', dialAt: Number.POSITIVE_INFINITY }, transition: 'left' })
    expect(heard(gone.liveness, 1100).transition).toBeUndefined()
    const down = linkDown(gone.liveness, 1200).liveness
    expect(dialFailed(down, 1200, 0.5, 1).dialAt).toBe(Number.POSITIVE_INFINITY)
    expect(renewed(down, 2000).dialAt).toBe(2000)
    expect(linkUp(down, 3000)).toMatchObject({ liveness: { state: 'alive' }, transition: 'joined' })
  })

  it('is dialled soon at first, then often enough to heal a partition within 5 s, and seldom when many are down', () => {
    let liveness = discovered(0)
    const waits: number[] = []
    for (let now = 0; waits.length < 10; now = liveness.dialAt) {
      liveness = dialFailed(liveness, now, 1, 3)
      waits.push(liveness.dialAt - now)
    }
    expect(waits[0]).toBe(200)
    expect(Math.max(...waits)).toBe(MAX_RETRY_MS)
    expect(dialFailed({ ...liveness, attempts: 20 }, 0, 1, 200).dialAt).toBe(10_000)
  })

  it('goes from joined to left and back, never twice the same, whatever happens', () => {
    const steps: readonly ((liveness: Liveness, now: number) => Step)[] = [
      linkUp,
      linkDown,
      (liveness, now) => heard(liveness, now),
      (liveness, now) => tick(liveness, now, 0, options),
      goodbye,
      (liveness, now) => ({ liveness: renewed(liveness, now) }),
    ]
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(steps.length - 1), fc.nat(4000))), history => {
        let liveness = discovered(0)
        let now = 0
        let joined = false
        for (const [index, pause] of history) {
          now += pause
          const step = steps[index]?.(liveness, now) ?? { liveness }
          if (step.transition === 'joined') expect(joined).toBe(false)
          else if (step.transition !== undefined) expect(joined).toBe(true)
          if (step.transition === 'joined') joined = true
          if (step.transition === 'left') joined = false
          liveness = step.liveness
          expect(liveness.joined).toBe(joined)
          if (liveness.state === 'alive') expect(liveness.heartbeats).toBeDefined()
        }
      }),
      { numRuns: 500 },
    )
  })
})
