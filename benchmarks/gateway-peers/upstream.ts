/** An OpenAI endpoint that answers at once with a fixed completion, whole or streamed: what is timed is who stands before it. */
import { createServer } from 'node:http'

const words = ['The', ' capital', ' of', ' France', ' is', ' Paris', '.']
const head = { id: 'chatcmpl-1', created: 1, model: 'fixed' }
const models = JSON.stringify({ object: 'list', data: [{ id: 'fixed', object: 'model', owned_by: 'bench' }] })

interface Answer {
  readonly whole: string
  /** Server-sent events, one a token. */
  readonly events: readonly string[]
}

/** Answers by their length in tokens: a node that joins tests that a limit is kept. */
const answers: readonly Answer[] = Array.from({ length: words.length + 1 }, (_, length) =>
  toAnswer(words.slice(0, length)),
)

function toAnswer(said: readonly string[]): Answer {
  const finish_reason = said.length < words.length ? 'length' : 'stop'
  const usage = { prompt_tokens: 12, completion_tokens: said.length, total_tokens: 12 + said.length }
  const chunk = (choices: readonly object[], more: object = {}): string =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
  const message = { role: 'assistant', content: said.join('') }
  return {
    whole: JSON.stringify({
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason }],
      usage,
    }),
    events: [
      ...said.map(content => chunk([{ index: 0, delta: { content }, finish_reason: null }])),
      chunk([{ index: 0, delta: {}, finish_reason }]),
      chunk([], { usage }),
      'data: [DONE]\n\n',
    ],
  }
}

const server = createServer((request, response) => {
  if (request.url?.endsWith('/models')) {
    response.setHeader('content-type', 'application/json').end(models)
    return
  }
  if (!request.url?.endsWith('/chat/completions')) return void response.writeHead(404).end()
  let body = ''
  request.setEncoding('utf8').on('data', part => {
    body += part
  })
  request.on('end', () => {
    const { stream, max_tokens: limit = words.length } = JSON.parse(body) as { stream?: boolean; max_tokens?: number }
    const answer = answers[Math.min(limit, words.length)] as Answer // there is one for every length
    response.setHeader('content-type', stream ? 'text/event-stream' : 'application/json')
    if (!stream) return void response.end(answer.whole)
    for (const event of answer.events) response.write(event)
    response.end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' ? address?.port : '')
})
process.stdin.resume().on('end', () => process.exit(0))
