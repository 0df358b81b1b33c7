import { describe, expect, it } from 'vitest'
import { ModelNetError } from '../utils/errors.ts'
import { hashedVector } from './hashed-vector.ts'
import { collect, languageModelSuite, textOf } from './language-model-suite.ts'
import { createScriptedModel } from './scripted-model.ts'

const request = { messages: [{ role: 'user' as const, content: 'where is it?' }] }

describe('a scripted model', () => {
  const cases = languageModelSuite({
    request,
    create: async () => {
      const model = createScriptedModel({
        answer: 'the café is 你好 far from here',
        partDelayMs: 2,
        firstDelayMs: 2,
        embed: hashedVector,
      })
      return { model, running: () => model.running, close: () => model.close() }
    },
  })
  for (const { name, run } of cases) it(name, run)

  it('continues a prefix of the last assistant message', async () => {
    const model = createScriptedModel({ answer: 'one two three' })
    const messages = [...request.messages, { role: 'assistant' as const, content: 'one two' }]
    expect(textOf(await collect(model.generate({ messages })))).toBe(' three')
  })

  it('fails where it is told to, and only so often', async () => {
    const error = new ModelNetError('PEER_LOST', 'gone')
    const model = createScriptedModel({ answer: 'a b c', failure: { error, afterParts: 2, calls: 1 } })
    const seen: string[] = []
    const reading = (async () => {
      for await (const part of model.generate(request)) if (part.type === 'text-delta') seen.push(part.text)
    })()
    await expect(reading).rejects.toBe(error)
    expect(seen).toEqual(['a', ' b'])
    expect(textOf(await collect(model.generate(request)))).toBe('a b c')
    expect(model.cancelled).toBe(1)
  })

  it('shows what was asked of it and of its sessions', async () => {
    const model = createScriptedModel()
    const session = await model.open(request)
    await session.step({ commit: Uint8Array.of(111), next: true })
    expect(model.requests).toEqual([request])
    expect(session.steps).toHaveLength(1)
    expect([...session.committed]).toEqual([111])
  })
})
