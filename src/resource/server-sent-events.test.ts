import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvents } from './server-sent-events.ts'

async function read(text: string, size = text.length): Promise<readonly string[]> {
  const bytes = new TextEncoder().encode(text)
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const events: string[] = []
  for await (const event of readEvents(body())) events.push(event)
  return events
}

describe('server-sent events', () => {
  it.each([
    ['data: a\n\ndata: b\n\n', ['a', 'b']],
    ['data:a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    [': comment\nevent: x\nid: 3\ndata: a\ndata: b\n\n', ['a\nb']],
    ['\n\n\n', []],
    ['data: cut off', ['cut off']],
  ])('reads %j', async (text, events) => {
    expect(await read(text)).toEqual(events)
  })

  it('reads the same in chunks of any size', async () => {
    const data = fc.array(
      fc.string({ unit: 'grapheme' }).map(text => text.replace(/[\r\n]/g, '')),
      { maxLength: 5 },
    )
    const newlines = fc.constantFrom('\n', '\r\n')
    await fc.assert(
      fc.asyncProperty(data, newlines, fc.integer({ min: 1, max: 9 }), async (events, newline, size) => {
        const text = events.map(event => `data: ${event}${newline}${newline}`).join('')
        expect(await read(text, size)).toEqual(events)
      }),
    )
  })
})
