import { describe, expect, it } from 'vitest'
import type { DirectoryEntry } from '../network/index.ts'
import type { ModelCard } from '../resource/index.ts'
import { createManualClock, createScriptedCard } from '../testing/index.ts'
import { finishWork } from './leave.ts'

const card = createScriptedCard({ id: 'words', node: 'here' })
const holder = (state: DirectoryEntry['state'], draining = false): DirectoryEntry => ({
  nodeId: 'there',
  state,
  addresses: [],
  cards: [{ ...card, node: 'there' }],
  status: { seq: 1, at: 0, draining, models: [] },
  self: false,
})

/** A node that is busy for so long; tells after how many ms it has left. */
async function leave(options: {
  readonly busyMs: number
  readonly clientMs?: number
  readonly others?: readonly DirectoryEntry[]
}): Promise<number | undefined> {
  const { busyMs, clientMs = 0, others = [] } = options
  const clock = createManualClock()
  const busy = (): readonly ModelCard[] => (clock.monotonic() < busyMs ? [card] : [])
  const self: DirectoryEntry = { ...holder('alive'), nodeId: 'here', self: true }
  let leftAt: number | undefined
  const leaving = finishWork(
    {
      clock,
      closeGateway: mostMs => clock.sleep(Math.min(clientMs, mostMs)),
      busy,
      directory: { entries: () => [self, ...others] },
    },
    { graceMs: 5000, mostMs: 60_000 },
  ).then(() => {
    leftAt = clock.monotonic()
  })
  await clock.advance(70_000)
  await leaving
  return leftAt
}

describe('a node that leaves', () => {
  it('is gone as soon as nothing runs', async () => {
    expect(await leave({ busyMs: 0 })).toBeLessThanOrEqual(20)
    expect(await leave({ busyMs: 1500 })).toBeLessThanOrEqual(1520)
    expect(await leave({ busyMs: 0, clientMs: 2000 })).toBeLessThanOrEqual(2020)
  })

  it('ends what nobody else can go on with, however long that takes', async () => {
    for (const others of [[], [holder('suspect')], [holder('left')], [holder('alive', true)]])
      expect(await leave({ busyMs: 30_000, others })).toBe(30_000)
  })

  it('hands over after a while what another node can go on with', async () => {
    expect(await leave({ busyMs: 30_000, others: [holder('alive')] })).toBe(5000)
    expect(await leave({ busyMs: 3000, others: [holder('alive')] })).toBe(3000)
  })

  it('never leaves a client of its own alone before its time is over', async () => {
    expect(await leave({ busyMs: 30_000, clientMs: 20_000, others: [holder('alive')] })).toBe(20_000)
    expect(await leave({ busyMs: 100_000, clientMs: 100_000 })).toBe(60_000)
  })
})
