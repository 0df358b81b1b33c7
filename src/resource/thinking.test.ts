import { describe, expect, it } from 'vitest'
import { createScriptedModel } from '../testing/index.ts'
import { enclosed, thinkFirst, thinkingBudget } from './thinking.ts'

const request = { messages: [{ role: 'user' as const, content: 'What is 2 + 2?' }], maxTokens: 3, temperature: 1 }

describe('thinking before a joint answer', () => {
  it('is what the model thinks, and ends where its answer begins', async () => {
    const model = createScriptedModel({ reasoning: 'two and two are four', answer: 'It is 4, of course.' })
    expect(await thinkFirst(model, request, { maxTokens: 100 })).toBe('two and two are four')
    expect([model.running, model.cancelled]).toEqual([0, 1])
    expect(model.requests).toEqual([{ messages: request.messages, maxTokens: 100 }])
  })

  it('is empty for a model that answers at once', async () => {
    expect(await thinkFirst(createScriptedModel({ answer: '4' }), request, { maxTokens: 100 })).toBe('')
  })

  it('ends with the signal', async () => {
    const model = createScriptedModel({ hang: true })
    const signal = AbortSignal.abort()
    await expect(thinkFirst(model, request, { maxTokens: 9, signal })).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('takes a quarter of the room, and no more than 8192 tokens', () => {
    expect([thinkingBudget(1000), thinkingBudget(1_000_000), thinkingBudget(2)]).toEqual([250, 8192, 1])
  })

  it('is enclosed in the marks that the prompt has not opened', () => {
    expect(enclosed('so', false)).toBe('<think>\nso\n</think>\n\n')
    expect(enclosed('so', true)).toBe('so\n</think>\n\n')
  })
})
