import { describe, expect, it } from 'vitest'
import { readQuestion } from './question.ts'

const encoder = new TextEncoder()
async function* coming(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? encoder.encode(part) : part
}
async function* never(): AsyncGenerator<Uint8Array> {
  yield* []
  throw new Error('read without need')
}

describe('the question of a command line', () => {
  it('is its words, and what comes in is left alone', async () => {
    expect(await readQuestion(['What', 'is', '2', '-', '1?'], never())).toBe('What is 2 - 1?')
  })

  it('adds what comes in for a dash, alone or after words', async () => {
    expect(await readQuestion(['-'], coming('What is ', '5 plus 5?\n'))).toBe('What is 5 plus 5?')
    expect(await readQuestion(['Sum', 'up:', '-'], coming('a\nb\n'))).toBe('Sum up:\n\na\nb')
  })

  it('keeps letters whole that come in two parts', async () => {
    const [first, second] = [encoder.encode('é').slice(0, 1), encoder.encode('é').slice(1)]
    expect(await readQuestion(['-'], coming(first, second))).toBe('é')
  })

  it.each([
    [[''], []],
    [['-'], []],
    [['-'], [' \n']],
  ])('is refused when %j and %j hold no text', async (words, parts) => {
    await expect(readQuestion(words, coming(...parts))).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })

  it('is refused beyond 16 MiB, before all of it is read', async () => {
    const part = new Uint8Array(1024 * 1024).fill(97)
    let read = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; ; read++) yield part
    }
    await expect(readQuestion(['-'], endless())).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    expect(read).toBeLessThan(20)
  })
})
