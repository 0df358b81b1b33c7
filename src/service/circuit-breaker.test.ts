import { describe, expect, it } from 'vitest'
import type { DirectoryEvent, NodeState } from '../network/index.ts'
import type { Clock } from '../utils/clock.ts'
import { createCircuitBreakers, forgetReturned } from './circuit-breaker.ts'

function setup() {
  const clock: Clock & { time: number } = {
    time: 0,
    now: () => clock.time,
    monotonic: () => clock.time,
    sleep: () => Promise.resolve(),
  }
  return { clock, breakers: createCircuitBreakers({ clock }, { failures: 2, openMs: 100, maxOpenMs: 300 }) }
}

describe('circuit breakers', () => {
  it('open after failures in a row only', () => {
    const { breakers } = setup()
    breakers.fail('a')
    breakers.succeed('a')
    breakers.fail('a')
    expect(breakers.state('a')).toBe('closed')
    breakers.fail('a')
    expect(breakers.state('a')).toBe('open')
    expect(breakers.enter('a')).toBe(false)
    expect(breakers.enter('b')).toBe(true)
  })

  it('let one trial through when the time is up, and close when it succeeds', () => {
    const { breakers, clock } = setup()
    breakers.fail('a')
    breakers.fail('a')
    clock.time += 100
    expect([breakers.state('a'), breakers.enter('a'), breakers.enter('a')]).toEqual(['half-open', true, false])
    breakers.succeed('a')
    expect([breakers.state('a'), breakers.enter('a'), breakers.enter('a')]).toEqual(['closed', true, true])
  })

  it('double the time after each failed trial, up to the limit', () => {
    const { breakers, clock } = setup()
    breakers.fail('a')
    breakers.fail('a')
    const opens = [100, 200, 300, 300].map(wait => {
      clock.time += wait - 1
      const before = breakers.state('a')
      clock.time += 1
      const after = breakers.enter('a')
      breakers.fail('a')
      return [before, after]
    })
    expect(opens).toEqual([0, 1, 2, 3].map(() => ['open', true]))
  })

  it('give the trial to the next caller when it ended without a verdict, or was never reported', () => {
    const { breakers, clock } = setup()
    breakers.fail('a')
    breakers.fail('a')
    clock.time += 100
    breakers.enter('a')
    breakers.leave('a')
    expect(breakers.enter('a')).toBe(true)
    clock.time += 60_000
    expect(breakers.enter('a')).toBe(true)
  })

  it.each<[string, readonly [DirectoryEvent['type'], NodeState][], string]>([
    [
      'was lost and lives again',
      [
        ['node-suspect', 'suspect'],
        ['node-update', 'alive'],
      ],
      'closed',
    ],
    ['left', [['node-leave', 'left']], 'closed'],
    ['only tells its load', [['node-update', 'alive']], 'open'],
    [
      'is still lost',
      [
        ['node-suspect', 'suspect'],
        ['node-update', 'suspect'],
      ],
      'open',
    ],
  ])('judges a node that %s by its state', (_, events, expected) => {
    const { breakers } = setup()
    const listeners: ((event: DirectoryEvent) => void)[] = []
    let state: NodeState = 'alive'
    const entry = () => ({ nodeId: 'n', state, addresses: [], cards: [], self: false })
    const directory = {
      entries: () => [entry()],
      entry,
      onChange(listener: (event: DirectoryEvent) => void) {
        listeners.push(listener)
        return () => undefined
      },
    }
    forgetReturned(directory, breakers)
    for (const name of ['m@n', 'm@n', 'm@other', 'm@other']) breakers.fail(name)
    for (const [type, next] of events) {
      state = next
      for (const listener of listeners) listener({ type, nodeId: 'n' })
    }
    expect([breakers.state('m@n'), breakers.state('m@other')]).toEqual([expected, 'open'])
  })
})
