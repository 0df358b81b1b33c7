import { describe, expect, it } from 'vitest'
import type { Terminal } from '../terminal.ts'
import { drawTopology, toTopology } from './topology.ts'

const terminal: Terminal = { out: () => undefined, err: () => undefined, color: false, columns: 80 }
const node = (name: string, fields: object = {}): object => ({
  node: name,
  state: 'alive',
  self: false,
  models: [],
  running: 0,
  queued: 0,
  ...fields,
})

describe('the topology', () => {
  it('shows the own domain first and the nearest nodes first', () => {
    const body = {
      self: 'me',
      nodes: [
        node('far', { domain: 'edge', rttMs: 90 }),
        node('near', { domain: 'edge', rttMs: 3, models: ['modelnet/geography', 'modelnet/words'], running: 1 }),
        node('other', { domain: 'cloud', state: 'suspect' }),
        node('stranger', { draining: true, rttMs: 5 }),
        node('me', { domain: 'edge', self: true, models: ['modelnet/arithmetic'] }),
      ],
    }
    expect(drawTopology(toTopology(body), terminal)).toBe(
      [
        'edge',
        '├── me · this node',
        '│     modelnet/arithmetic',
        '├── near · alive · 3 ms · 1 running, 0 queued',
        '│     modelnet/geography',
        '│     modelnet/words',
        '└── far · alive · 90 ms',
        'cloud',
        '└── other · suspect',
        'no domain',
        '└── stranger · leaving · 5 ms',
        '',
      ].join('\n'),
    )
  })

  it('prints no control characters that a peer put into a name', () => {
    const body = { self: 'me', nodes: [node('me', { self: true, domain: 'a\u001b[2J', models: ['m\u001b]0;x'] })] }
    expect(drawTopology(toTopology(body), terminal)).not.toContain('\u001b')
  })
})
