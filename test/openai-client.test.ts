import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finalAnswer, type NodeProcess, startNode } from './support/processes.ts'

let node: NodeProcess
let client: OpenAI
beforeAll(async () => {
  node = await startNode(['--model', 'geography', '--model', 'arithmetic-a'], { MODELNET_KEYS: 'test-key' })
  client = new OpenAI({ baseURL: `${node.gateway}/v1`, apiKey: 'test-key', maxRetries: 0 })
})
afterAll(async () => void (await node.stop()))

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'What is the capital of France?' }]

describe('the official OpenAI client', () => {
  it('gets a whole answer with usage', async () => {
    const answer = await client.chat.completions.create({ model: 'modelnet/auto', messages })
    expect(finalAnswer(answer.choices[0]?.message.content ?? '')).toBe('Paris')
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
  })

  it('gets the same text as a stream, with usage at the end', async () => {
    const whole = await client.chat.completions.create({ model: 'modelnet/geography', messages })
    const stream = await client.chat.completions.create({
      model: 'modelnet/geography',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    expect(text).toBe(whole.choices[0]?.message.content)
    expect(usage?.total_tokens).toBe(whole.usage?.total_tokens)
  })

  it('lists the models of the network', async () => {
    const ids: string[] = []
    for await (const model of client.models.list()) ids.push(model.id)
    expect(ids).toEqual(expect.arrayContaining(['modelnet/auto', 'modelnet/geography', 'modelnet/arithmetic-a']))
    expect((await client.models.retrieve('modelnet/geography')).id).toBe('modelnet/geography')
  })

  it.each([
    ['modelnet/nobody', OpenAI.NotFoundError],
    ['a >', OpenAI.BadRequestError],
  ])('gets its own error class for the model %s', async (model, expected) => {
    await expect(client.chat.completions.create({ model, messages })).rejects.toThrow(expected)
  })

  it('gets its own error class for a wrong key', async () => {
    const stranger = new OpenAI({ baseURL: `${node.gateway}/v1`, apiKey: 'wrong', maxRetries: 0 })
    await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError)
  })

  it('gets a clear error for a prompt beyond the context, and the node lives on', async () => {
    const content = `What is the capital of ${'France and '.repeat(3000)}Spain?`
    await expect(
      client.chat.completions.create({ model: 'modelnet/geography', messages: [{ role: 'user', content }] }),
    ).rejects.toMatchObject({ status: 400, code: 'context_overflow' })
    expect((await client.chat.completions.create({ model: 'modelnet/geography', messages })).choices).toHaveLength(1)
  })
})
