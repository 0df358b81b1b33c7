import { describe, expect, it } from 'vitest'
import type { Clock } from '../../utils/clock.ts'
import type { DirectoryEvent } from '../directory.ts'
import { linkDown, linkUp } from './liveness.ts'
import type { SignedMember } from './member-view.ts'
import { Roster } from './roster.ts'

const DAY_S = 24 * 60 * 60

function setUp(capacity = 3) {
  let elapsed = 0
  const clock: Clock = { now: () => 1e12 + elapsed, monotonic: () => elapsed, sleep: () => Promise.resolve() }
  const self = { nodeId: 'self', state: 'alive' as const, addresses: [], cards: [], self: true }
  const roster = new Roster(clock, () => self, { capacity })
  const events: DirectoryEvent[] = []
  roster.onChange(event => events.push(event))
  return {
    roster,
    events,
    pass: (ms: number) => (elapsed += ms),
    link: (node: string) => roster.meet(node) && roster.step(node, liveness => linkUp(liveness, elapsed)),
    unlink: (node: string) => roster.step(node, liveness => linkDown(liveness, elapsed)),
  }
}

const record = (node: string, seq = 1): SignedMember => ({
  record: {
    version: 1,
    node,
    seq,
    issuedAt: 1e9 - 10,
    expiresAt: 1e9 + DAY_S,
    protocols: ['/modelnet/channel/1'],
    addresses: [`/ip4/127.0.0.1/tcp/1/p2p/${node}`],
  },
  jws: `${node}.${seq}`,
})

describe('Roster', () => {
  it('takes in newer records only', () => {
    const { roster } = setUp()
    expect(roster.accept(record('a', 2))).toBe('fresh')
    expect(roster.accept(record('a', 2))).toBe('stale')
    expect(roster.accept(record('a', 1))).toBe('stale')
    expect(roster.accept(record('a', 3))).toBe('fresh')
    expect(roster.records().map(({ jws }) => jws)).toEqual(['a.3'])
  })

  it('says nothing of a node before it is reached, and then each change once', () => {
    const { roster, events, link, unlink } = setUp()
    roster.accept(record('a', 1))
    expect(events).toEqual([])
    expect(roster.entry('a')?.state).toBe('suspect')
    link('a')
    roster.accept(record('a', 2))
    unlink('a')
    expect(events.map(({ type }) => type)).toEqual(['node-join', 'node-update', 'node-suspect'])
  })

  it('never holds more than its capacity, and never drops a member that is linked', () => {
    const { roster, link, pass } = setUp(3)
    for (const node of ['a', 'b']) link(node)
    expect(roster.accept(record('c'))).toBe('fresh')
    expect(roster.accept(record('d'))).toBe('full')
    pass(61_000) // c was never reached: it makes room
    expect(roster.accept(record('d'))).toBe('fresh')
    expect(roster.members().map(({ node }) => node)).toEqual(['a', 'b', 'd'])
    link('d')
    pass(1e9)
    for (let index = 0; index < 1000; index++) expect(roster.accept(record(`flood-${index}`))).toBe('full')
    expect(roster.meet('e')).toBe(false)
  })

  it('ignores a status older than the one it has', () => {
    const { roster, link } = setUp()
    link('a')
    const status = (seq: number) => ({ seq, at: 1, draining: false, models: [] })
    roster.keepStatus('a', status(5))
    roster.keepStatus('a', status(4))
    expect(roster.entry('a')?.status?.seq).toBe(5)
    roster.dropStatus('a')
    roster.keepStatus('a', status(1))
    expect(roster.entry('a')?.status?.seq).toBe(1)
  })

  it('forgets a stranger when it goes, and a member an hour later', () => {
    const { roster, link, unlink, pass } = setUp()
    link('stranger')
    roster.accept(record('a'))
    link('a')
    for (const node of ['stranger', 'a']) unlink(node)
    roster.forget()
    expect(roster.members().map(({ node }) => node)).toEqual(['a'])
    pass(61 * 60 * 1000)
    roster.forget()
    expect(roster.members()).toEqual([])
  })
})
