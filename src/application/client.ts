import { isErrorCode, ModelNetError } from '../utils/errors.ts'

export interface ClientOptions {
  /** Base URL of a gateway, without `/v1`. */
  readonly url: string
  readonly key?: string
  readonly signal?: AbortSignal
}

/** Asks a gateway for JSON. Throws the gateway's own error, or PEER_UNREACHABLE with what to do about it. */
export async function getJson(path: string, options: ClientOptions): Promise<unknown> {
  const response = await request(path, options, {})
  return response.json()
}

/** Posts JSON and reads JSON; throws as `getJson` does. */
export async function postJson(path: string, body: unknown, options: ClientOptions): Promise<unknown> {
  const response = await request(path, options, { method: 'POST', body: JSON.stringify(body) })
  return response.json()
}

/** Posts JSON and reads server-sent events; yields each event's data as JSON until `[DONE]`. */
export async function* postEvents(path: string, body: unknown, options: ClientOptions): AsyncGenerator<unknown> {
  const response = await request(path, options, { method: 'POST', body: JSON.stringify(body) })
  if (response.body === null) throw new ModelNetError('PROTOCOL_ERROR', `${options.url} sent an answer without a body`)
  let rest = ''
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue
      const data = line.slice('data: '.length)
      if (data === '[DONE]') return
      const event = parse(data)
      if (event === undefined)
        throw new ModelNetError(
          'PROTOCOL_ERROR',
          `${options.url} sent an event that is not JSON: ${data.slice(0, 100)}`,
        )
      const error = errorOf(event)
      if (error) throw error
      yield event
    }
  }
  throw new ModelNetError('PEER_LOST', `${options.url} ended the stream before the answer was complete`)
}

async function request(path: string, options: ClientOptions, init: RequestInit): Promise<Response> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (options.key !== undefined) headers['authorization'] = `Bearer ${options.key}`
  let response: Response
  try {
    response = await fetch(new URL(path, options.url), { ...init, headers, signal: options.signal ?? null })
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw new ModelNetError(
      'PEER_UNREACHABLE',
      `no gateway answers at ${options.url}; start one with \`modelnet start\` or \`modelnet serve\`, or name another with --url`,
      { cause },
    )
  }
  if (response.ok) return response
  const text = await response.text()
  if (response.status === 401) {
    const what = options.key === undefined ? 'wants a key' : 'does not know the key'
    throw new ModelNetError(
      'UNAUTHORIZED',
      `the gateway at ${options.url} ${what}: expected one of its keys in MODELNET_KEY`,
    )
  }
  throw (
    errorOf(parse(text)) ??
    new ModelNetError('PROTOCOL_ERROR', `${options.url}${path} answered ${response.status}: ${text.slice(0, 200)}`)
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function errorOf(body: unknown): ModelNetError | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined
  const { error } = body
  if (typeof error !== 'object' || error === null) return undefined
  const code = 'code' in error ? String(error.code).toUpperCase() : ''
  const message = 'message' in error ? String(error.message) : 'the gateway refused the request'
  return new ModelNetError(isErrorCode(code) ? code : 'PROTOCOL_ERROR', message)
}
