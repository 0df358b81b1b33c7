import type { Agent, Dispatcher } from 'undici'
import type { ErrorCode } from '../utils/errors.ts'
import { isAbortError, isModelNetError, ModelNetError } from '../utils/errors.ts'
import { readEvents } from './server-sent-events.ts'

export interface HttpClientOptions {
  /** Base of the paths, with or without a slash at its end. */
  readonly url: string
  /** Sent as a bearer token; taken out of every error text. */
  readonly apiKey?: string
  /** To the first byte of an answer, in ms. @default 120000 */
  readonly headersTimeoutMs?: number
  /** Between two chunks of an answer, in ms. @default 60000 */
  readonly bodyTimeoutMs?: number
}

/** Requests to one model server, with its failures as our error codes. */
export interface HttpClient {
  /** GET without a body, POST with one; the answer as JSON. */
  json(path: string, body?: unknown, signal?: AbortSignal): Promise<unknown>
  /** POST; the data of each server-sent event, until the end or `[DONE]`. */
  events(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<string>
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 5000
/** llama-server ends idle connections after 5 s; ours are given up before that. */
const KEEP_ALIVE_MS = 4000
/** A full distribution over 256k tokens takes about 20 MB of JSON. */
const MAX_JSON_BYTES: number = 64 * 1024 * 1024
/** The end of a body follows its last event at once. */
const END_OF_BODY_MS = 1000
const MAX_ERROR_TEXT = 300

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { apiKey, headersTimeoutMs = 120_000, bodyTimeoutMs = 60_000 } = options
  const base = parseUrl(options.url)
  let starting: Promise<Agent> | undefined
  const startAgent = async (): Promise<Agent> => {
    const { Agent } = await import('./http-agent.ts')
    return new Agent({
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: bodyTimeoutMs,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    })
  }
  const redact = (text: string): string => (apiKey ? text.replaceAll(apiKey, '<key>') : text)

  const send = async (path: string, body: unknown, signal?: AbortSignal): Promise<Dispatcher.ResponseData> => {
    signal?.throwIfAborted()
    starting ??= startAgent()
    const agent = await starting
    const attempt = (): Promise<Dispatcher.ResponseData> =>
      agent.request({
        origin: base.origin,
        path: base.path + path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'application/json, text/event-stream',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ?? null,
      })
    // A server may end a kept connection just when it is used again: nothing was done yet, so once more is safe.
    const response = await attempt().catch(error => (ENDED.has(codeOf(error)) ? attempt() : Promise.reject(error)))
    if (response.statusCode >= 200 && response.statusCode < 300) return response
    throw await toStatusError(response, base.origin + base.path + path, redact)
  }
  const failing = (error: unknown, path: string, signal?: AbortSignal): unknown => {
    if (signal?.aborted) return signal.reason
    if (isModelNetError(error) || isAbortError(error)) return error
    const why = REASONS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error))
    return new ModelNetError('ENGINE_FAILED', redact(`${base.origin}${base.path}${path}: ${why}`), { cause: error })
  }

  return {
    async json(path, body, signal) {
      try {
        const response = await send(path, body, signal)
        const text = await readText(response.body, MAX_JSON_BYTES)
        return parseJson(text, `${base.origin}${base.path}${path}`)
      } catch (error) {
        throw failing(error, path, signal)
      }
    },
    async *events(path, body, signal) {
      let response: Dispatcher.ResponseData | undefined
      let finished = false
      try {
        response = await send(path, body, signal)
        const events = readEvents(response.body)
        for (let step = await events.next(); !step.done; step = await events.next()) {
          if (step.value === '[DONE]') {
            finished = true
            return void readToEnd(events, response.body)
          }
          yield step.value
        }
      } catch (error) {
        throw failing(error, path, signal)
      } finally {
        // Ends the request when the reader stops early, which makes the server stop as well.
        if (!finished) response?.body.on('error', () => undefined).destroy()
      }
    },
    async close() {
      await (await starting)?.destroy()
    },
  }
}

/**
 * After its last event a server has only the end of the body to send. Once that is read the connection serves the next
 * request; a server that does not send it loses the connection.
 */
async function readToEnd(events: AsyncGenerator<string>, body: Dispatcher.ResponseData['body']): Promise<void> {
  const timer = setTimeout(() => body.destroy(), END_OF_BODY_MS)
  try {
    for await (const _ of events);
  } catch {
    // nothing was lost: the answer was complete
  } finally {
    clearTimeout(timer)
  }
}

/** Throws PROTOCOL_ERROR. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ModelNetError('PROTOCOL_ERROR', `${where} answered with something that is not JSON`, { cause })
  }
}

function parseUrl(url: string): { readonly origin: string; readonly path: string } {
  try {
    const { origin, pathname, protocol } = new URL(url)
    if (protocol === 'http:' || protocol === 'https:') return { origin, path: pathname.replace(/\/+$/, '') }
  } catch {
    // told below
  }
  throw new ModelNetError(
    'INVALID_CONFIG',
    `expected an http or https URL of a model server, got ${JSON.stringify(url)}`,
  )
}

const ENDED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the server ended the connection',
  UND_ERR_SOCKET: 'the server ended the connection',
  ENOTFOUND: 'the host name is not known',
  UND_ERR_CONNECT_TIMEOUT: `no connection within ${CONNECT_TIMEOUT_MS} ms`,
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped in the middle',
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  404: 'MODEL_NOT_FOUND',
  413: 'PAYLOAD_TOO_LARGE',
  422: 'INVALID_REQUEST',
  429: 'OVERLOADED',
}

async function toStatusError(
  response: Dispatcher.ResponseData,
  where: string,
  redact: (text: string) => string,
): Promise<ModelNetError> {
  const { statusCode, headers } = response
  const text = await readText(response.body, 64 * 1024).catch(() => '')
  const message = redact(`${where} answered ${statusCode}: ${reasonOf(text)}`)
  // Servers tell an overlong prompt by words only; these are of llama-server, vLLM and OpenAI.
  if (statusCode === 400 && /exceed_context_size|context_length_exceeded|maximum context length/.test(text))
    return new ModelNetError('CONTEXT_OVERFLOW', message)
  const code = STATUS_CODES[statusCode] ?? (statusCode >= 500 ? 'ENGINE_FAILED' : 'INVALID_REQUEST')
  const retryAfter = Number(headers['retry-after'])
  return new ModelNetError(code, message, {
    ...(code === 'OVERLOADED' && retryAfter > 0 ? { details: { retryAfterMs: retryAfter * 1000 } } : {}),
  })
}

/** The message in an error body of OpenAI's shape, else the body itself. */
function reasonOf(text: string): string {
  const match = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)
  return (match?.[1] ?? text).slice(0, MAX_ERROR_TEXT)
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new ModelNetError('PROTOCOL_ERROR', `the server sent more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
