import { ModelNetError } from '../utils/errors.ts'

/** One event of a model server; whole-vocabulary log-probabilities are the largest. */
const MAX_EVENT_BYTES: number = 16 * 1024 * 1024

/** The data of each server-sent event (HTML Living Standard, 9.2.6); other fields and comments mean nothing here. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  let data: string[] = []
  const takeLine = (line: string): string | undefined => {
    if (line === '') {
      const event = data.length > 0 ? data.join('\n') : undefined
      data = []
      return event
    }
    if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5))
    return undefined
  }
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    // A carriage return at the end may be the first half of a line break.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    if (rest.length > MAX_EVENT_BYTES)
      throw new ModelNetError('PROTOCOL_ERROR', `the server sent a line of more than ${MAX_EVENT_BYTES} characters`)
    for (const line of lines) {
      const event = takeLine(line)
      if (event !== undefined) yield event
    }
  }
  // A last event without its empty line was cut off, but some servers end so.
  takeLine(rest.replace(/\r$/, ''))
  const last = takeLine('')
  if (last !== undefined) yield last
}
