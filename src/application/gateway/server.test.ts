import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Directory } from '../../network/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { silentLogger } from '../../utils/logger.ts'
import { type ConfigInput, ConfigSchema, type NodeConfig } from '../config-schema.ts'
import { createMetrics } from '../metrics.ts'
import type { Asker } from './chat.ts'
import { createGateway, type Gateway } from './server.ts'

const open: Gateway[] = []
afterEach(async () => void (await Promise.all(open.splice(0).map(gateway => gateway.close()))))

const directory: Directory = { entries: () => [], entry: () => undefined, onChange: () => () => undefined }

const outcome = {
  text: 'Paris',
  finish: 'stop' as const,
  pathway: 'single',
  why: 'test',
  members: [],
  usage: { promptTokens: 3, completionTokens: 1 },
  ms: 1,
  cost: 0,
}
const says: Asker = async function* () {
  yield { type: 'note', stage: 'choice', message: 'geography knows' }
  yield { type: 'text-delta', text: 'Pa' }
  yield { type: 'text-delta', text: 'ris' }
  return outcome
}

async function gatewayFor(ask: Asker, settings: ConfigInput['gateway'] = {}, logger = silentLogger): Promise<string> {
  const config: NodeConfig = ConfigSchema.parse({ gateway: { port: 0, ...settings } })
  const gateway = await createGateway(
    { ask, metrics: createMetrics(directory), directory, strategies: () => [], logger },
    config.gateway,
  )
  open.push(gateway)
  return gateway.url
}

const body = (fields: object = {}): string =>
  JSON.stringify({ model: 'modelnet/auto', messages: [{ role: 'user', content: 'capital of France?' }], ...fields })
const post = (url: string, text: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  })
const errorCode = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { code: string } }).error.code

describe('the gateway', () => {
  it('answers whole, and says how the answer was made', async () => {
    const response = await post(await gatewayFor(says), body())
    expect(response.headers.get('x-request-id')).toMatch(/^chatcmpl-/)
    expect(await response.json()).toMatchObject({
      choices: [{ message: { role: 'assistant', content: 'Paris' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
      modelnet: { pathway: 'single' },
    })
  })

  it('streams events in order, with usage and members when asked for', async () => {
    const fields = { stream: true, stream_options: { include_usage: true }, modelnet: { events: true } }
    const text = await (await post(await gatewayFor(says), body(fields))).text()
    const events = text
      .trim()
      .split('\n\n')
      .map(line => line.replace('data: ', ''))
    expect(events.at(-1)).toBe('[DONE]')
    const chunks = events.slice(0, -1).map(line => JSON.parse(line))
    expect(chunks.map(chunk => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Paris')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 4 } })
    expect(chunks.find(chunk => chunk.modelnet?.event)).toMatchObject({ modelnet: { event: { stage: 'choice' } } })
    expect(chunks.find(chunk => chunk.modelnet?.result)).toMatchObject({ modelnet: { result: { pathway: 'single' } } })
  })

  it.each([
    ['malformed JSON', '{"model":', 400, 'invalid_request'],
    ['a body of the wrong form', '{}', 400, 'invalid_request'],
  ])('answers %s with a clear error', async (_, text, status, code) => {
    const response = await post(await gatewayFor(says), text)
    expect(response.status).toBe(status)
    expect(await errorCode(response)).toBe(code)
  })

  it('refuses a body beyond its limit', async () => {
    const response = await post(await gatewayFor(says, { maxBodyBytes: 2048 }), body({ user: 'x'.repeat(4000) }))
    expect([response.status, await errorCode(response)]).toEqual([413, 'payload_too_large'])
  })

  it('asks for a key in either header, and never echoes one', async () => {
    const url = await gatewayFor(says, { keys: ['right'] })
    const refused = await post(url, body(), { authorization: 'Bearer wrong-secret' })
    expect(refused.status).toBe(401)
    expect(await refused.text()).not.toContain('wrong-secret')
    expect((await post(url, body(), { authorization: 'Bearer right' })).status).toBe(200)
    expect((await post(url, body(), { 'x-api-key': 'right' })).status).toBe(200)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('gives an error before the first event its status, and one after it an event', async () => {
    const early: Asker = async function* () {
      yield* []
      throw new ModelNetError('MODEL_NOT_FOUND', 'no node offers x')
    }
    const response = await post(await gatewayFor(early), body({ stream: true }))
    expect([response.status, await errorCode(response)]).toEqual([404, 'model_not_found'])
    const late: Asker = async function* () {
      yield { type: 'text-delta', text: 'Pa' }
      throw new ModelNetError('PEER_LOST', 'the peer is gone')
    }
    const text = await (await post(await gatewayFor(late), body({ stream: true }))).text()
    expect(text).toContain('"code":"peer_lost"')
    expect(text).not.toContain('[DONE]')
  })

  it('keeps the text of a defect to itself', async () => {
    const broken: Asker = async function* () {
      yield* []
      throw new Error('the key is hunter2')
    }
    const response = await post(await gatewayFor(broken), body())
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('hunter2')
  })

  it('cancels the work when the client goes away', async () => {
    let aborted: (reason: unknown) => void = () => undefined
    const cancelled = new Promise(resolve => {
      aborted = resolve
    })
    const hangs: Asker = async function* (_, signal) {
      signal.addEventListener('abort', () => aborted(signal.reason))
      yield { type: 'text-delta', text: 'Pa' }
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      return outcome
    }
    const url = await gatewayFor(hangs)
    const client = new AbortController()
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: body({ stream: true }),
      headers: { 'content-type': 'application/json' },
      signal: client.signal,
    })
    await response.body?.getReader().read()
    client.abort()
    expect(await cancelled).toMatchObject({ code: 'CANCELLED' })
  })

  describe('when it closes', () => {
    const begin = (url: string, text: string): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text, () => resolve(socket)))
        socket.resume().on('error', reject) // a cut connection too, which nobody hears then
      })
    const cut = (socket: Socket): Promise<unknown> => new Promise(resolve => socket.once('close', resolve))
    const HEAD = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n'

    it.each([
      ['says nothing', ''],
      ['has sent half a head', HEAD],
      ['has sent half a body', `${HEAD}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`],
    ])('does not wait for a client that %s', async (_, text) => {
      const socket = await begin(await gatewayFor(says), text)
      await Promise.all([cut(socket), open.at(-1)?.close(60_000)])
    })

    /** An asker that says half of its answer, and the rest when it is released. */
    function waiting(): { readonly ask: Asker; release(): void } {
      let release: () => void = () => undefined
      const released = new Promise<void>(resolve => {
        release = resolve
      })
      const ask: Asker = async function* () {
        yield { type: 'text-delta', text: 'Pa' }
        await released
        yield { type: 'text-delta', text: 'ris' }
        return outcome
      }
      return { ask, release: () => release() }
    }

    it('lets an answer that has begun end', async () => {
      const { ask, release } = waiting()
      const url = await gatewayFor(ask)
      const response = await post(url, body({ stream: true }))
      const silent = await begin(url, '')
      const closed = open.at(-1)?.close(60_000)
      await cut(silent)
      release()
      expect(await response.text()).toContain('[DONE]')
      await closed
    })

    it('lets it end though its client has begun to ask again on the same connection', async () => {
      const { ask, release } = waiting()
      const url = await gatewayFor(ask)
      const text = body({ stream: true })
      const whole = `${HEAD}content-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`
      const half = `${HEAD}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`
      const socket = await begin(url, whole + half)
      let said = ''
      socket.setEncoding('utf8').on('data', part => {
        said += part
      })
      await new Promise(resolve => socket.once('data', resolve))
      const silent = await begin(url, '')
      const closed = open.at(-1)?.close(60_000)
      await cut(silent)
      release()
      await Promise.all([cut(socket), closed])
      expect(said).toContain('[DONE]')
    })
  })

  it('counts requests by outcome for Prometheus', async () => {
    const url = await gatewayFor(says)
    await post(url, body())
    await post(url, body({ stream: true })).then(response => response.text())
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).toContain('modelnet_requests_total{code="OK"} 2')
    expect(text).toContain('modelnet_tokens_total{kind="completion"} 2')
    expect(text).toContain('modelnet_request_seconds_count 2')
  })

  it('says which port is in use', async () => {
    const port = Number(new URL(await gatewayFor(says)).port)
    await expect(gatewayFor(says, { port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)),
    })
  })

  it('answers an unknown path in the same shape', async () => {
    const response = await fetch(`${await gatewayFor(says)}/v1/nothing`)
    expect([response.status, await errorCode(response)]).toEqual([404, 'not_found'])
  })
})
