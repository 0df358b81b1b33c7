import { describe, expect, it } from 'vitest'
import { collaborationGraph } from './collaboration-graph.ts'

/** Figure 3 of the paper: the row grades the column, A, B, C as 3, 2, 1. */
const published = {
  Qwen: { Baichuan: 2.4, ERNIE: 2.6, DS: 1.9 },
  Baichuan: { Qwen: 2.6, ERNIE: 2.8, DS: 2.6 },
  ERNIE: { Qwen: 2.5, Baichuan: 2.2, DS: 1.7 },
  DS: { Qwen: 2.4, Baichuan: 2.2, ERNIE: 2.5 },
}

describe('mutual evaluation', () => {
  it('gives the published graph for the published matrix', () => {
    const { helpers, uncertain, given, received, states } = collaborationGraph(published)
    expect(helpers).toEqual({ Qwen: ['ERNIE'], ERNIE: ['Qwen'], Baichuan: ['ERNIE'], DS: ['ERNIE', 'Qwen'] })
    expect(uncertain).toEqual({ Qwen: [], ERNIE: [], Baichuan: [], DS: [] })
    expect(given['Qwen']).toBeCloseTo(2.3)
    expect(given['Baichuan']).toBeCloseTo(2.667, 3)
    expect(received['DS']).toBeCloseTo(2.067, 3)
    expect(states).toEqual({ Qwen: 'improver', ERNIE: 'improver', Baichuan: 'weak', DS: 'weak' })
  })

  it('turns DS into low and low for a smaller d1, and Baichuan into high and high for a larger', () => {
    expect(collaborationGraph(published, { d1: 0.25 }).states['DS']).toBe('peculiar')
    expect(collaborationGraph(published, { d1: 0.75 }).states['Baichuan']).toBe('lenient')
  })

  it.each([2, 3, 4, 5, 6, 7, 8, 9])('lets the strictest half of %i graders help, rounded up', graders => {
    const half = Math.ceil(graders / 2)
    const strict = Array.from({ length: half }, (_, index) => `strict${index}`)
    const lenient = Array.from({ length: graders - half }, (_, index) => `lenient${index}`)
    const scores = {
      target: Object.fromEntries([...strict.map(name => [name, 3]), ...lenient.map(name => [name, 1])]),
      ...Object.fromEntries(strict.map((name, index) => [name, { target: 1 + index / 100 }])),
      ...Object.fromEntries(lenient.map((name, index) => [name, { target: 2.5 + index / 100 }])),
    }
    expect(collaborationGraph(scores).helpers['target']).toEqual(strict)
    expect(collaborationGraph(scores, { d2: 1 / graders }).helpers['target']).toEqual(['strict0'])
  })
})
