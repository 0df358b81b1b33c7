import { describe, expect, it } from 'vitest'
import { NO_TURNS, nextPingAt, type Turns } from './heartbeats.ts'

const INTERVAL = 500
const TICK = 100

/** Two sides that look at the clock every 100 ms, each at its own phase, over a line of so many ms one way. */
function pings(options: {
  readonly latency: number
  readonly phase: number
  readonly seconds: number
  readonly hangsAt?: number
}): readonly { readonly at: number; readonly side: 0 | 1 }[] {
  const { latency, phase, seconds, hangsAt = Number.POSITIVE_INFINITY } = options
  const turns: [Turns, Turns] = [NO_TURNS, NO_TURNS]
  const sent: { readonly at: number; readonly side: 0 | 1 }[] = []
  for (let now = 0; now < seconds * 1000; now++) {
    for (const { at, side } of sent) {
      const other = side === 0 ? 1 : 0
      if (at + latency === now && (other === 0 || now < hangsAt)) turns[other] = { ...turns[other], heardAt: now }
      if (at + 2 * latency === now && now < hangsAt) turns[side] = { ...turns[side], answeredAt: now }
    }
    for (const side of [0, 1] as const) {
      if ((now + side * phase) % TICK !== 0 || (side === 1 && now >= hangsAt)) continue
      if (now < nextPingAt(turns[side], INTERVAL, side === 0)) continue
      turns[side] = { ...turns[side], pingedAt: now }
      sent.push({ at: now, side })
    }
  }
  return sent
}

describe('nextPingAt', () => {
  it.each([
    [1, 0],
    [1, 50],
    [40, 0],
    [40, 70],
    [150, 30],
    [240, 0],
    [400, 20],
  ])('lets a pair send one ping an interval over a line of %i ms when one looks %i ms earlier', (latency, phase) => {
    const sent = pings({ latency, phase, seconds: 30 })
    // Two at the start; an interval is lengthened by the line and by the tick that ends it.
    expect(sent.length).toBeLessThanOrEqual((30 * 1000) / INTERVAL + 2)
    expect(sent.length).toBeGreaterThanOrEqual((30 * 1000) / (INTERVAL + latency + TICK))
  })

  it('lets both sides of a pair measure the round trip', () => {
    const sent = pings({ latency: 20, phase: 50, seconds: 10 })
    for (const side of [0, 1]) expect(sent.filter(ping => ping.side === side).length).toBeGreaterThanOrEqual(8)
  })

  it('goes on pinging who does not take its turn', () => {
    const sent = pings({ latency: 20, phase: 50, seconds: 20, hangsAt: 10_000 })
    const after = sent.filter(({ at }) => at >= 10_500)
    expect(after.every(({ side }) => side === 0)).toBe(true)
    expect(after.length).toBeGreaterThanOrEqual(11)
  })

  it('pings a peer whose round trip it does not know at once', () => {
    expect(nextPingAt({ ...NO_TURNS, heardAt: 100 }, INTERVAL, false)).toBeLessThan(0)
  })
})
