import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { choosePath, type Path, PathMemory, pathCost } from './paths.ts'

const DIRECT = '/ip4/192.0.2.1/tcp/4001'
const SOCKET = '/ip4/192.0.2.1/tcp/4002/ws'
const RELAYED = '/ip4/198.51.100.1/tcp/4001/p2p/relay/p2p-circuit'
const path = (address: string, facts: Partial<Path> = {}): Path => ({
  address,
  relayed: address === RELAYED,
  failures: 0,
  streams: 0,
  ...facts,
})
const chosen = (paths: readonly Path[], before?: string): string | undefined => choosePath(paths, before)?.address

const paths = fc.uniqueArray(
  fc.record({
    address: fc.constantFrom(DIRECT, SOCKET, RELAYED, '/ip4/127.0.0.1/tcp/1', '/dns4/a.example/tcp/2'),
    relayed: fc.boolean(),
    delayMs: fc.double({ min: 0.1, max: 5000, noNaN: true }),
    failures: fc.double({ min: 0, max: 10, noNaN: true }),
    streams: fc.nat(64),
  }),
  { minLength: 1, selector: ({ address }) => address },
)

describe('choosePath', () => {
  it.each<[string, readonly Path[], string]>([
    ['a direct path to a relayed one', [path(RELAYED), path(DIRECT)], DIRECT],
    ['the shorter measured delay', [path(DIRECT, { delayMs: 80 }), path(SOCKET, { delayMs: 20 })], SOCKET],
    ['what was seen to work to what was not tried', [path(DIRECT), path(SOCKET, { delayMs: 30 })], SOCKET],
    ['a stable relayed path to a direct one that flaps', [path(DIRECT, { failures: 2 }), path(RELAYED)], RELAYED],
    [
      'an idle path to a busy one of the same delay',
      [path(DIRECT, { delayMs: 20, streams: 32 }), path(SOCKET, { delayMs: 20 })],
      SOCKET,
    ],
  ])('prefers %s', (_, given, expected) => {
    expect(chosen(given)).toBe(expected)
    expect(chosen(given.toReversed())).toBe(expected)
  })

  it('stays on a path that is almost as good as the best, and on none that has gone', () => {
    const given = [path(DIRECT, { delayMs: 20 }), path(SOCKET, { delayMs: 18 })]
    expect(chosen(given, DIRECT)).toBe(DIRECT)
    expect(chosen(given, RELAYED)).toBe(SOCKET)
    expect(chosen([], DIRECT)).toBeUndefined()
  })

  it('never takes a path that costs more than another by more than it takes to change', () => {
    fc.assert(
      fc.property(paths, fc.nat(4), (given, index) => {
        const taken = choosePath(given, given[index % given.length]?.address)
        const least = Math.min(...given.map(pathCost))
        expect(taken && pathCost(taken) * 0.7).toBeLessThanOrEqual(least + 1e-9)
      }),
    )
  })

  it('does not change between two paths whose delays vary by a quarter', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 80, max: 100 }), fc.integer({ min: 80, max: 100 }))), rounds => {
        const taken = new Set<string | undefined>()
        let before: string | undefined = DIRECT
        for (const [one, other] of rounds) {
          before = chosen([path(DIRECT, { delayMs: one }), path(SOCKET, { delayMs: other })], before)
          taken.add(before)
        }
        expect(taken.size).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('costs more the slower, the busier and the less stable a path is', () => {
    fc.assert(
      fc.property(paths, fc.double({ min: 0.1, max: 10, noNaN: true }), ([one], more) => {
        if (!one) return
        expect(pathCost({ ...one, failures: one.failures + more })).toBeGreaterThan(pathCost(one))
        expect(pathCost({ ...one, delayMs: (one.delayMs ?? 0) + more })).toBeGreaterThan(pathCost(one))
        expect(pathCost({ ...one, streams: one.streams + 1 })).toBeGreaterThan(pathCost(one))
      }),
    )
  })
})

describe('PathMemory', () => {
  it('leaves a path that flaps and comes back to it when it has been quiet', async () => {
    const clock = createManualClock()
    const memory = new PathMemory(clock)
    memory.answered(DIRECT, 10)
    memory.answered(SOCKET, 30)
    const best = (): string | undefined =>
      chosen([memory.path(DIRECT, { relayed: false }), memory.path(SOCKET, { relayed: false })])
    expect(best()).toBe(DIRECT)
    for (let flap = 0; flap < 3; flap++) {
      memory.lost(DIRECT, 2000)
      await clock.advance(2000)
    }
    expect(best()).toBe(SOCKET)
    await clock.advance(60 * 60 * 1000)
    expect(best()).toBe(DIRECT)
  })

  it('does not hold the end of a connection that lived long against its path', () => {
    const memory = new PathMemory(createManualClock())
    memory.answered(DIRECT, 10)
    memory.lost(DIRECT, 60 * 60 * 1000)
    expect(memory.path(DIRECT, { relayed: false }).failures).toBeLessThan(0.001)
  })

  it('forgets what was unused for longest', () => {
    const memory = new PathMemory(createManualClock())
    for (let port = 0; port < 2000; port++) memory.failed(`/ip4/192.0.2.1/tcp/${port}`)
    const failuresAt = (port: number): number => memory.path(`/ip4/192.0.2.1/tcp/${port}`, { relayed: false }).failures
    expect([failuresAt(0), failuresAt(1999)]).toEqual([0, 1])
  })
})
