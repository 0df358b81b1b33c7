import { describe, expect, it } from 'vitest'
import type { NodeState } from '../../network/index.ts'
import { createCapabilityMap, createMatcher } from '../../service/index.ts'
import { createManualClock, createScriptedModel } from '../../testing/index.ts'
import { isModelNetError } from '../../utils/errors.ts'
import type { Board } from './path.ts'
import { resolve } from './resolve.ts'

const board: Board = {
  task: { id: 't', messages: [], options: {}, budget: {}, preference: { quality: 1, cost: 0, latency: 0 } },
  analysis: {
    tags: [],
    language: 'en',
    difficulty: 0.5,
    format: 'text',
    composite: false,
    confidence: 0,
    modality: 'text',
    length: 20,
  },
  answers: [],
  notes: {},
}

/** Resolves to who is asked, or to the error. */
function outcome(reference: string, state: NodeState): unknown {
  const offers = () => [{ model: createScriptedModel({ id: 'test/sums', node: 'n' }), nodeId: 'n', state }]
  const matcher = createMatcher({ offers, abilities: createCapabilityMap({ clock: createManualClock() }) })
  try {
    return resolve({ reference }, board, matcher).map(({ name }) => name)
  } catch (error) {
    return isModelNetError(error) ? [error.code, error.status, error.details] : error
  }
}

describe('resolve', () => {
  it('finds a model by its id and by the last part of it', () => {
    for (const name of ['test/sums', 'sums', 'sums@n']) expect(outcome(name, 'alive')).toEqual(['test/sums@n'])
  })

  it.each<NodeState>(['left', 'suspect'])('says when to come again for a model whose only holder is %s', state => {
    for (const name of ['test/sums', 'sums', 'sums@n'])
      expect(outcome(name, state)).toEqual(['NO_CANDIDATE', 503, { retryAfterMs: 2000 }])
  })

  it('says that there is none for a name that nobody offered', () => {
    expect(outcome('test/sum', 'left')).toEqual(['MODEL_NOT_FOUND', 404, { near: [] }])
    expect(outcome('sums@elsewhere', 'alive')).toEqual(['MODEL_NOT_FOUND', 404, { near: ['test/sums'] }])
    expect(outcome('test/sum', 'alive')).toEqual(['MODEL_NOT_FOUND', 404, { near: ['test/sums'] }])
  })
})
