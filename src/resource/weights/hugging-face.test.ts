import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock } from '../../testing/manual-clock.ts'
import type { Clock } from '../../utils/clock.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createWeightsCache } from './cache.ts'
import { type HuggingFaceOptions, obtainFromHuggingFace } from './hugging-face.ts'

const NAME = 'hf:org/small-model-GGUF/small.gguf'
const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7 + (index >> 10)) & 255))
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const digest = `sha256:${sha256(content)}`

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

interface HubOptions {
  /** Bytes that lie behind the name, whatever the hub says of them. */
  readonly stored?: Buffer
  /** Each download ends after so many bytes. */
  readonly cutAfter?: number
  readonly ranges?: boolean
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Behaves as the hub does: `resolve` names the file by its SHA-256 and redirects to where the bytes are. */
async function startHub(options: HubOptions = {}) {
  const { stored = content, cutAfter = Number.POSITIVE_INFINITY, ranges = true, token, headers } = options
  const seen: { method: string; path: string; range: string; authorization: string }[] = []
  const linked = headers ?? { 'x-linked-etag': `"${sha256(content)}"`, 'x-linked-size': String(content.length) }
  const store = await listen((request, response) => {
    seen.push(look(request))
    const from = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
    const rest = stored.subarray(from)
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(from > 0 && { 'content-range': `bytes ${from}-${stored.length - 1}/${stored.length}` }),
    })
    const part = rest.subarray(0, cutAfter)
    response.write(part, () => (part.length < rest.length ? response.destroy() : response.end()))
  })
  const url = await listen((request, response) => {
    seen.push(look(request))
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return void response.writeHead(401).end()
    if (request.url !== '/org/small-model-GGUF/resolve/main/small.gguf') return void response.writeHead(404).end()
    response.writeHead(302, { location: `${store}/blob`, etag: '"a-git-id"', ...linked }).end()
  })
  return { url, seen }
}

const look = ({ method = '', url = '', headers }: IncomingMessage) => ({
  method,
  path: url,
  range: headers.range ?? '',
  authorization: headers.authorization ?? '',
})

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function place(url: string, more: Partial<HuggingFaceOptions> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'modelnet-hub-'))
  // waits between tries are over at once
  const clock: Clock = { ...createManualClock(), sleep: () => Promise.resolve() }
  const cache = createWeightsCache({ directory, quotaBytes: 1e9, clock })
  const options = { url, cache, directory, clock, logger: silentLogger, ...more }
  return { directory, obtain: (name = NAME, wanted?: string) => obtainFromHuggingFace(name, wanted, options) }
}

describe('weights from the Hugging Face hub', () => {
  it('come once: a second start asks nobody', async () => {
    const hub = await startHub()
    const { obtain } = place(hub.url)
    const first = await obtain()
    expect(first).toMatchObject({ digest, bytes: content.length, movedBytes: content.length })
    expect(readFileSync(first.file).equals(content)).toBe(true)
    const asked = hub.seen.length
    expect(await obtain()).toMatchObject({ file: first.file, movedBytes: 0 })
    expect(hub.seen).toHaveLength(asked)
  })

  it('are continued where the connection was cut', async () => {
    const hub = await startHub({ cutAfter: 100_000 })
    const { obtain } = place(hub.url)
    const { file, movedBytes } = await obtain()
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(movedBytes).toBe(content.length)
    expect(hub.seen.filter(({ range }) => range !== '').map(({ path }) => path)).toContain('/blob')
  })

  it('are begun anew where the server knows no ranges', async () => {
    const hub = await startHub({ ranges: false })
    const { directory, obtain } = place(hub.url)
    writeFileSync(join(directory, `sha256-${sha256(content)}.part`), content.subarray(0, 1000))
    expect(readFileSync((await obtain()).file).equals(content)).toBe(true)
  })

  it('replace what a transfer from peers left with holes', async () => {
    const hub = await startHub()
    const { directory, obtain } = place(hub.url)
    writeFileSync(join(directory, `sha256-${sha256(content)}.part`), Buffer.alloc(content.length))
    expect(readFileSync((await obtain()).file).equals(content)).toBe(true)
  })

  it('are refused when they are not what the hub says, and nothing of them is kept', async () => {
    const hub = await startHub({ stored: Buffer.from(content).fill(1, 0, 1) })
    const { obtain } = place(hub.url)
    await expect(obtain()).rejects.toMatchObject({ code: 'PROTOCOL_ERROR', retryable: false })
    await expect(obtain()).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(hub.seen.filter(({ path }) => path === '/blob')).toHaveLength(2)
  })

  it.each<[string, HubOptions, string | undefined, string]>([
    ['a longer file than was said', { stored: Buffer.concat([content, content]) }, undefined, 'PROTOCOL_ERROR'],
    ['a hub that names no SHA-256', { headers: { 'content-length': '0' } }, undefined, 'INVALID_CONFIG'],
    ['other weights than the configuration asks for', {}, `sha256:${'0'.repeat(64)}`, 'PROTOCOL_ERROR'],
    [
      'a size beyond all limits',
      { headers: { 'x-linked-etag': sha256(content), 'x-linked-size': '1e15' } },
      undefined,
      'PAYLOAD_TOO_LARGE',
    ],
    ['a hub that wants to know the user', { token: 'secret' }, undefined, 'UNAUTHORIZED'],
  ])('are refused: %s', async (_, hubOptions, wanted, code) => {
    const { obtain } = place((await startHub(hubOptions)).url)
    await expect(obtain(NAME, wanted)).rejects.toMatchObject({ code })
  })

  it('send the token to the hub and not to where it redirects', async () => {
    const hub = await startHub({ token: 'secret' })
    await place(hub.url, { token: 'secret' }).obtain()
    for (const { path, authorization } of hub.seen) expect(authorization).toBe(path === '/blob' ? '' : 'Bearer secret')
  })

  it('say that there is no such file, or that nobody answers', async () => {
    const hub = await startHub()
    await expect(place(hub.url).obtain('hf:org/other/small.gguf')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    await expect(place('http://127.0.0.1:9').obtain()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it.each(['hf:org/file.gguf', 'hf:org/repo/../x.gguf', 'hf:org/repo/a b.gguf', 'hf:org/repo@v1', 'hf:../../x.gguf'])(
    'have no name like %s',
    async name => {
      await expect(place('http://127.0.0.1:9').obtain(name)).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    },
  )
})
