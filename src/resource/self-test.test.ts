import { describe, expect, it } from 'vitest'
import { createScriptedModel } from '../testing/scripted-model.ts'
import { ModelNetError } from '../utils/errors.ts'
import { selfTest } from './self-test.ts'

describe('the self-test at join', () => {
  it('leaves an honest model all its capabilities', async () => {
    const model = createScriptedModel({ answer: 'a fine day', embed: text => [text.length, text.charCodeAt(0)] })
    const tested = await selfTest(model)
    expect(tested.card.capabilities).toEqual(['generate', 'tokens', 'bytes', 'score', 'embed'])
    expect(model.running).toBe(0)
  })

  it('takes away distributions that do not sum to 1', async () => {
    const probabilities = new Float64Array(257).fill(1 / 250)
    const tested = await selfTest(createScriptedModel({ next: () => ({ kind: 'bytes', probabilities }) }))
    expect(tested.card.capabilities).not.toContain('bytes')
    expect(tested.card.capabilities).not.toContain('tokens')
    expect(tested.open).toBeUndefined()
  })

  it('takes away scores above what the distributions allow', async () => {
    const model = createScriptedModel({ answer: 'xyz' })
    const tested = await selfTest({ ...model, score: async () => ({ logprob: -0.1, tokens: 1, bytes: 1 }) })
    expect(tested.card.capabilities).toEqual(['generate', 'tokens', 'bytes'])
    expect(tested.score).toBeUndefined()
  })

  it('takes away what the card claims and the model lacks', async () => {
    const { open: _, ...model } = createScriptedModel()
    expect((await selfTest({ ...model, card: createScriptedModel().card })).card.capabilities).toEqual([
      'generate',
      'score',
    ])
  })

  it('takes away embeddings that do not tell texts apart', async () => {
    const tested = await selfTest(createScriptedModel({ embed: () => [1, 2, 3] }))
    expect(tested.card.capabilities).not.toContain('embed')
  })

  it('refuses a model that cannot answer, with the reason', async () => {
    const failure = { error: new ModelNetError('UNAUTHORIZED', 'wrong key') }
    await expect(selfTest(createScriptedModel({ failure }))).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})
