import { describe, expect, it } from 'vitest'
import { readChatRequest } from './chat-request.ts'

const limits = { deadlineMs: 1000 }
const minimal = { model: 'modelnet/auto', messages: [{ role: 'user', content: 'hello' }] }

describe('readChatRequest', () => {
  it('reads the smallest request', () => {
    expect(readChatRequest(minimal, limits)).toMatchObject({
      model: 'modelnet/auto',
      stream: false,
      task: { messages: minimal.messages, options: {}, budget: { deadlineMs: 1000 } },
    })
  })

  it('joins text parts and treats developer messages as system messages', () => {
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]
    const request = readChatRequest({ ...minimal, messages: [{ role: 'developer', content: parts }] }, limits)
    expect(request.task.messages).toEqual([{ role: 'system', content: 'ab' }])
  })

  it('takes the newer name of the token limit first, and a single stop text', () => {
    const request = readChatRequest({ ...minimal, max_tokens: 5, max_completion_tokens: 7, stop: 'x' }, limits)
    expect(request.task.options).toEqual({ maxTokens: 7, stop: ['x'] })
  })

  it('never lets a request wait longer than the gateway allows', () => {
    const request = readChatRequest({ ...minimal, modelnet: { budget: { deadlineMs: 5000, calls: 3 } } }, limits)
    expect(request.task.budget).toEqual({ deadlineMs: 1000, calls: 3 })
  })

  it('prefers the pathway of the extension to the model', () => {
    expect(readChatRequest({ ...minimal, modelnet: { pathway: 'a > b' } }, limits).model).toBe('a > b')
  })

  it('takes a pathway in its JSON form', () => {
    const pathway = { seq: [{ call: 'a' }, { call: 'b' }] }
    expect(readChatRequest({ ...minimal, modelnet: { pathway } }, limits).model).toBe(JSON.stringify(pathway))
  })

  it.each([
    ['no body', undefined, /body/],
    ['no messages', { model: 'x', messages: [] }, /messages/],
    [
      'an image',
      { ...minimal, messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      /messages\.0\.content/,
    ],
    ['a temperature out of range', { ...minimal, temperature: 3 }, /temperature/],
    ['several choices', { ...minimal, n: 2 }, /n: only 1 is offered/],
    ['log-probabilities', { ...minimal, logprobs: true }, /logprobs: not offered/],
    ['an unknown field of the extension', { ...minimal, modelnet: { pathwy: 'a' } }, /pathwy/],
  ])('refuses %s and names the field', (_, body, message) => {
    expect(() => readChatRequest(body, limits)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringMatching(message) }),
    )
  })

  it('refuses tools rather than ignore them', () => {
    expect(() => readChatRequest({ ...minimal, tools: [] }, limits)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    )
  })
})
