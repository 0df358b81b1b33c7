import { ModelNetError } from '../../utils/errors.ts'

/** More than any model here reads; a gateway has a limit of its own. */
const MAX_INPUT_BYTES = 16 * 1024 * 1024

/**
 * A question from the words of a command line; `-` at the end adds what comes in: `modelnet ask "Sum up:" - < notes.txt`.
 * Rejects with INVALID_REQUEST when there is no question in it, with PAYLOAD_TOO_LARGE beyond 16 MiB.
 */
export async function readQuestion(words: readonly string[], input: AsyncIterable<Uint8Array>): Promise<string> {
  const isAdded = words.at(-1) === '-'
  const given = (isAdded ? words.slice(0, -1) : words).join(' ')
  const text = isAdded ? await readAll(input) : ''
  const question = [given.trim(), text.trim()].filter(Boolean).join('\n\n')
  if (question === '') throw new ModelNetError('INVALID_REQUEST', 'expected a question, and there is no text in it')
  return question
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of input) {
    bytes += part.length
    if (bytes > MAX_INPUT_BYTES)
      throw new ModelNetError('PAYLOAD_TOO_LARGE', `standard input has more than ${MAX_INPUT_BYTES} bytes`)
    parts.push(part)
  }
  return new TextDecoder().decode(Buffer.concat(parts))
}
