import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forgive, type HeartbeatHistory, heartbeat, phi, SUSPECT_PHI, startHistory } from './failure-detector.ts'

const beats = (times: readonly number[]): HeartbeatHistory => times.reduce(heartbeat, startHistory(0))
const regular = beats(Array.from({ length: 40 }, (_, index) => (index + 1) * 500))

describe('phi', () => {
  it('does not suspect a peer that keeps its pace', () => {
    expect(phi(regular, regular.lastAt + 500)).toBeLessThan(1)
  })

  it('suspects a peer of half-second heartbeats within two seconds of silence', () => {
    expect(phi(regular, regular.lastAt + 900)).toBeLessThan(SUSPECT_PHI)
    expect(phi(regular, regular.lastAt + 1900)).toBeGreaterThan(SUSPECT_PHI)
  })

  it('is more patient with an irregular peer', () => {
    const times = Array.from({ length: 40 }, (_, index) => (index + 1) * 500 + (index % 2) * 400)
    const irregular = beats(times)
    expect(phi(irregular, irregular.lastAt + 1500)).toBeLessThan(phi(regular, regular.lastAt + 1500))
  })

  it('works before any heartbeat was measured', () => {
    const fresh = startHistory(1000)
    expect(phi(fresh, 1400)).toBeLessThan(1)
    expect(phi(fresh, 4000)).toBeGreaterThan(SUSPECT_PHI)
  })

  it('does not hold against a peer what this node slept through', () => {
    const now = regular.lastAt + 5000
    expect(phi(forgive(regular, 4500), now)).toBeLessThan(1)
  })

  it('never falls while nothing is heard, and is always a number', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 50 }),
        fc.nat(100_000),
        fc.nat(100_000),
        (intervals, first, more) => {
          let at = 0
          const history = beats(intervals.map(interval => (at += interval)))
          const early = phi(history, history.lastAt + first)
          const late = phi(history, history.lastAt + first + more)
          expect(Number.isFinite(early)).toBe(true)
          expect(late).toBeGreaterThanOrEqual(early - 1e-9)
        },
      ),
    )
  })

  it('ignores heartbeats out of order and keeps a bounded memory', () => {
    expect(heartbeat(regular, regular.lastAt - 1)).toBe(regular)
    expect(regular.intervals.length).toBeLessThanOrEqual(32)
  })
})
