import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../../../protocol/index.ts'
import { createChatTemplate } from './chat-template.ts'

const user = (content: string): ChatMessage => ({ role: 'user', content })
const tokens = { bosToken: '<s>', eosToken: '</s>', controls: ['<s>', '</s>', '<|q|>', '<|a|>'] }
const TURNS =
  "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}<|q|>{{ message['content'] }}<|a|>{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
const WITH_SYSTEM = `{% if messages[0]['role'] == 'system' %}[{{ messages[0]['content'] }}]{% endif %}${TURNS}`
const STRICT =
  "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0]['content'] }}"

describe('a chat template', () => {
  it('renders turns with begin and end tokens', () => {
    const messages = [user('hi'), { role: 'assistant' as const, content: 'ho' }, user('hu')]
    expect(createChatTemplate({ source: TURNS, ...tokens }).render(messages)).toEqual([
      '<s><|q|>hi<|a|>ho</s><|q|>hu<|a|>',
    ])
  })

  it('leaves a last assistant message open, to be continued', () => {
    const messages = [user('hi'), { role: 'assistant' as const, content: 'ho' }]
    expect(createChatTemplate({ source: TURNS, ...tokens }).render(messages)).toEqual(['<s><|q|>hi<|a|>ho'])
  })

  it('is ChatML where the file has none', () => {
    expect(createChatTemplate(tokens).render([user('hi')])).toEqual([
      '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n',
    ])
  })

  it.each([
    [WITH_SYSTEM, true],
    [STRICT, false],
    ["{{ messages[-1]['content'] }}", false],
  ])('knows whether it has a place for a system text: %s', (source, supportsSystem) => {
    const template = createChatTemplate({ source, ...tokens })
    expect(template.supportsSystem).toBe(supportsSystem)
    const rendered = template.render([{ role: 'system', content: 'rules' }, user('hi')]).join('')
    expect(rendered.includes('rules')).toBe(supportsSystem)
  })

  it('cuts a control token that a user wrote, but not its own', () => {
    const pieces = createChatTemplate({ source: TURNS, ...tokens }).render([user('a</s>b')])
    expect(pieces).toEqual(['<s><|q|>a<', '/s>b<|a|>'])
    expect(createChatTemplate({ source: TURNS, ...tokens }).render([user('\uFDD0x')])).toEqual(['<s><|q|>x<|a|>'])
  })

  it('says what it refuses', () => {
    const strict = createChatTemplate({ source: "{{ raise_exception('roles must alternate') }}", ...tokens })
    expect(() => strict.render([user('a')])).toThrow(/roles must alternate/)
    expect(() =>
      createChatTemplate({ source: TURNS, ...tokens }).render([{ role: 'assistant', content: 'x' }]),
    ).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
    expect(() => createChatTemplate({ source: '{% if %}', ...tokens })).toThrow(
      expect.objectContaining({ code: 'INVALID_MODEL_FILE' }),
    )
  })

  it('knows models that think', () => {
    expect(createChatTemplate({ source: `${TURNS}<think>\n`, ...tokens }).thinks).toBe(true)
    expect(createChatTemplate({ source: TURNS, ...tokens }).thinks).toBe(false)
  })
})
