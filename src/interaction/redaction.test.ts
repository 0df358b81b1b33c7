import { describe, expect, it } from 'vitest'
import { createScriptedModel } from '../testing/index.ts'
import { redact, restore } from './redaction.ts'
import { createScriptedNetwork } from './scripted-network.ts'

describe('redaction', () => {
  it.each([
    ['mail ada@example.org now', 'mail <EMAIL_1> now'],
    ['card 4111 1111 1111 1111 ok', 'card <CARD_1> ok'],
    ['card 4111 1111 1111 1112 is no card', 'card 4111 1111 1111 1112 is no card'],
    ['from 192.168.1.17 to 999.1.1.1', 'from <IP_1> to 999.1.1.1'],
    ['key sk-abcdefghijklmnopqrst', 'key <KEY_1>'],
    ['DE89 3704 0044 0532 0130 00 is an account', '<IBAN_1> is an account'],
    ['id 11010519491231002X', 'id <ID_1>'],
    ['call +49 30 1234567 or 13812345678', 'call <PHONE_1> or <PHONE_2>'],
    ['a@b.co and a@b.co and c@d.co', '<EMAIL_1> and <EMAIL_1> and <EMAIL_2>'],
    ['38 + 47 = 85, version 1.2.3, 2024-05-06', '38 + 47 = 85, version 1.2.3, 2024-05-06'],
  ])('turns %j into %j and back', (text, redacted) => {
    const { text: clean, secrets } = redact(text, 'default')
    expect(clean).toBe(redacted)
    expect(restore(clean, secrets)).toBe(text)
  })

  it('keeps secrets here and puts them back into the answer', async () => {
    const model = createScriptedModel({
      id: 'a',
      answer: request => `Write to ${request.messages[0]?.content.match(/<EMAIL_1>/)?.[0]} soon`,
    })
    const network = createScriptedNetwork([model])
    const result = await network.ask('I am ada@example.org, help', 'redact(a)')
    expect(result.text).toBe('Write to ada@example.org soon')
    expect(JSON.stringify(model.requests)).not.toContain('ada@')
  })
})
