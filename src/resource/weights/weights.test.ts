import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type CallHandlers,
  type Channel,
  createChannel,
  createLinkedStreams,
  createStreamTransport,
} from '../../network/index.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { type Clock, systemClock } from '../../utils/clock.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createWeightsCache, type WeightsCache } from './cache.ts'
import { fetchWeights, type WeightsHolder } from './fetch.ts'
import { chunkBytesOf, createManifest, WEIGHTS_METHODS } from './manifest.ts'
import { createWeightsHandlers } from './server.ts'
import { createWeightsStore } from './store.ts'

const CHUNK = 256 * 1024
const directory = (): string => mkdtempSync(join(tmpdir(), 'modelnet-weights-'))
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Bytes that differ from chunk to chunk; the last chunk is not full. */
const content = Buffer.from(
  Uint8Array.from({ length: 5 * CHUNK + 1234 }, (_, index) => (index * 7 + (index >> 12)) & 255),
)
const digest = digestOf(content)
const wanted = { digest, bytes: content.length }

const channels: Channel[] = []
afterEach(async () => void (await Promise.all(channels.splice(0).map(channel => channel.close()))))

/** A holder behind a channel with the real codec; a cut channel is opened again when it is next asked for. */
function holderOf(peer: string, handlers: CallHandlers, clock: Clock = systemClock): WeightsHolder & { cut(): void } {
  let open: Channel | undefined
  const cut = (): void => {
    void open?.close()
    open = undefined
  }
  return {
    peer,
    cut,
    async channel() {
      if (open) return open
      const [here, there] = createLinkedStreams()
      channels.push(createChannel(createStreamTransport(there), { handlers, peer: 'asker', clock }))
      open = createChannel(createStreamTransport(here), { peer, clock })
      channels.push(open)
      return open
    },
  }
}

/** Serves a file, and counts the chunks asked for. */
function serve(bytes: Uint8Array = content, name = digest): { handlers: CallHandlers; asked: number[]; file: string } {
  const file = join(directory(), 'weights.gguf')
  writeFileSync(file, bytes)
  const asked: number[] = []
  const handlers = createWeightsHandlers({
    find: async digest => (digest === name ? file : undefined),
    clock: systemClock,
  })
  const chunk = handlers[WEIGHTS_METHODS.chunk]
  return {
    file,
    asked,
    handlers: {
      ...handlers,
      async *[WEIGHTS_METHODS.chunk](body, call, context) {
        asked.push((body as { index: number }).index) // our own call
        if (chunk) yield* chunk(body, call, context)
      },
    },
  }
}

const emptyFile = (): string => {
  const file = join(directory(), 'file.part')
  writeFileSync(file, '')
  return file
}
const options = () => ({ clock: systemClock, logger: silentLogger, signal: new AbortController().signal })
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing was thrown',
    error => error.code,
  )

describe('weights from peers', () => {
  it('arrive whole, each chunk once, from several holders together', async () => {
    const [one, two] = [serve(), serve()]
    const file = emptyFile()
    const moved = await fetchWeights(
      wanted,
      [holderOf('one', one.handlers), holderOf('two', two.handlers)],
      file,
      options(),
    )
    expect(moved).toBe(content.length)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect([...one.asked, ...two.asked].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
    expect(one.asked.length).toBeGreaterThan(0)
    expect(two.asked.length).toBeGreaterThan(0)
  })

  it('come from another holder where one sends a corrupted chunk, and that one is not asked again', async () => {
    const [good, bad] = [serve(), serve()]
    const corrupted = Buffer.from(content)
    for (let index = 0; index < 6; index++)
      corrupted.writeUInt8((1 + corrupted.readUInt8(index * CHUNK)) & 255, index * CHUNK)
    const corrupting: CallHandlers = {
      ...bad.handlers,
      async *[WEIGHTS_METHODS.chunk](body) {
        const { index } = body as { index: number } // our own call
        bad.asked.push(index)
        yield corrupted.subarray(index * CHUNK, (index + 1) * CHUNK)
      },
    }
    const file = emptyFile()
    await fetchWeights(wanted, [holderOf('bad', corrupting), holderOf('good', good.handlers)], file, options())
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(bad.asked.length).toBeLessThanOrEqual(4) // those that were in flight
    expect(bad.asked.length).toBeGreaterThan(0)
    expect(good.asked.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('are refused when the only holder corrupts them', async () => {
    const { handlers } = serve()
    const corrupting: CallHandlers = {
      ...handlers,
      async *[WEIGHTS_METHODS.chunk]() {
        yield new Uint8Array(CHUNK)
      },
    }
    expect(await codeOf(fetchWeights(wanted, [holderOf('bad', corrupting)], emptyFile(), options()))).toBe(
      'PEER_UNREACHABLE',
    )
  })

  it('go on after the connection was cut, without asking twice for what has come', async () => {
    const { handlers, asked } = serve()
    let chunks = 0
    const cutting: CallHandlers = {
      ...handlers,
      async *[WEIGHTS_METHODS.chunk](body, call, context) {
        if (++chunks === 3) return holder.cut()
        const chunk = handlers[WEIGHTS_METHODS.chunk]
        if (chunk) yield* chunk(body, call, context)
      },
    }
    const holder = holderOf('one', cutting)
    const file = emptyFile()
    expect(await fetchWeights(wanted, [holder], file, options())).toBe(content.length)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(asked.length).toBeLessThanOrEqual(6 + 4)
  })

  it('go on where an earlier try ended: what is on the disk and right is kept, what is wrong is not', async () => {
    const { handlers, asked } = serve()
    const file = emptyFile()
    const before = Buffer.from(content.subarray(0, 3 * CHUNK))
    before.fill(0, CHUNK, CHUNK + 9)
    writeFileSync(file, before)
    expect(await fetchWeights(wanted, [holderOf('one', handlers)], file, options())).toBe(content.length - 2 * CHUNK)
    expect(asked.toSorted((a, b) => a - b)).toEqual([1, 3, 4, 5])
    expect(readFileSync(file).equals(content)).toBe(true)
  })

  it('are checked as a whole, so that a false manifest gains nothing, even from most holders', async () => {
    const other = Buffer.from(content).fill(9, 10, 20)
    const liar = async (): Promise<CallHandlers> => {
      const { handlers, file } = serve(other, digestOf(other))
      const manifest = { ...(await createManifest(file, digestOf(other))), digest }
      const chunk = handlers[WEIGHTS_METHODS.chunk]
      return {
        async *[WEIGHTS_METHODS.manifest]() {
          yield manifest
        },
        async *[WEIGHTS_METHODS.chunk](body, call, context) {
          if (chunk) yield* chunk({ ...(body as object), digest: digestOf(other) }, call, context)
        },
      }
    }
    const liars = [holderOf('liar', await liar()), holderOf('its friend', await liar())]
    expect(await codeOf(fetchWeights(wanted, liars, emptyFile(), options()))).toBe('PEER_UNREACHABLE')
    const file = emptyFile()
    await fetchWeights(wanted, [...liars, holderOf('honest', serve().handlers)], file, options())
    expect(readFileSync(file).equals(content)).toBe(true)
  })

  it.each([
    ['of another size', { bytes: 99 }],
    ['with too few hashes', { hashes: new Uint8Array(32) }],
    ['with chunks of another size', { chunkBytes: 1 }],
    ['that is no manifest', { hashes: 'none' }],
  ])('are not asked of a holder with a manifest %s', async (_, wrong: object) => {
    const { handlers, asked, file } = serve()
    const manifest = { ...(await createManifest(file, digest)), ...wrong }
    const lying: CallHandlers = {
      ...handlers,
      async *[WEIGHTS_METHODS.manifest]() {
        yield manifest
      },
    }
    expect(await codeOf(fetchWeights(wanted, [holderOf('bad', lying)], emptyFile(), options()))).toBe(
      'PEER_UNREACHABLE',
    )
    expect(asked).toEqual([])
  })

  it('are in chunks whose number is bounded', () => {
    expect(chunkBytesOf(1)).toBe(CHUNK)
    expect(chunkBytesOf(100 * 1024 ** 3) * 65_536).toBeGreaterThanOrEqual(100 * 1024 ** 3)
  })
})

describe('a node that serves weights', () => {
  const ask = async (handlers: CallHandlers, method: string, body: unknown): Promise<string> => {
    const channel = await holderOf('one', handlers).channel()
    const call = channel.call(method, body)
    return codeOf(
      (async () => {
        for await (const _ of call.parts);
      })(),
    )
  }

  it.each([
    ['weights it does not give', WEIGHTS_METHODS.manifest, { digest: digestOf(new Uint8Array(1)) }, 'NOT_FOUND'],
    ['a path instead of a digest', WEIGHTS_METHODS.manifest, { digest: '../../etc/passwd' }, 'INVALID_REQUEST'],
    ['a chunk beyond the end', WEIGHTS_METHODS.chunk, { digest, index: 6 }, 'INVALID_REQUEST'],
    ['a chunk before the beginning', WEIGHTS_METHODS.chunk, { digest, index: -1 }, 'INVALID_REQUEST'],
  ])('refuses %s', async (_, method, body, code) => {
    expect(await ask(serve().handlers, method, body)).toBe(code)
  })

  it('does not give a file that is no longer what its digest says', async () => {
    const { handlers, file } = serve()
    writeFileSync(file, 'something else')
    expect(await ask(handlers, WEIGHTS_METHODS.manifest, { digest })).toBe('INVALID_MODEL_FILE')
  })

  it('gives no more bytes a second than it may, and no peer more chunks at once than it may', async () => {
    const clock = createManualClock()
    const file = join(directory(), 'w.gguf')
    // The bucket holds 4 MiB: 16 chunks. What comes after waits for time.
    const large = Buffer.alloc(20 * CHUNK, 7)
    writeFileSync(file, large)
    const name = digestOf(large)
    const handlers = createWeightsHandlers({ find: async () => file, clock }, { bytesPerSecond: CHUNK, maxPerPeer: 4 })
    const channel = await holderOf('one', handlers).channel()
    const get = (index: number): Promise<number> =>
      (async () => {
        for await (const part of channel.call(WEIGHTS_METHODS.chunk, { digest: name, index }).parts)
          return (part as Uint8Array).length
        return 0
      })()
    for (let index = 0; index < 16; index++) expect(await get(index)).toBe(CHUNK)
    const waiting = [16, 17, 18, 19].map(get)
    await expect.poll(() => clock.sleepers).toBe(4)
    expect(await codeOf(get(0))).toBe('OVERLOADED')
    let come = 0
    for (const chunk of waiting) void chunk.then(() => come++)
    await clock.advance(2100)
    await expect.poll(() => come).toBe(2)
    await clock.advance(2000)
    await expect.poll(() => come).toBe(4)
  })
})

describe('the cache of weights', () => {
  const named = (text: string): { digest: string; bytes: number } => ({
    digest: digestOf(Buffer.from(text)),
    bytes: text.length,
  })
  const put = async (cache: WeightsCache, text: string): Promise<string> => {
    writeFileSync(await cache.begin(named(text)), text)
    return cache.commit(named(text).digest)
  }

  it('makes room by removing what was not used for longest, but nothing that is in use', async () => {
    const clock = createManualClock()
    const cache = createWeightsCache({ directory: directory(), quotaBytes: 10, clock })
    const kept = async (): Promise<readonly string[]> => {
      const all = await Promise.all(['aaaa', 'bbbb', 'cccc', 'dddd'].map(text => named(text).digest))
      const listed = new Set((await cache.list()).map(each => each.digest))
      return ['aaaa', 'bbbb', 'cccc', 'dddd'].filter((_, index) => listed.has(all[index] ?? ''))
    }
    await put(cache, 'aaaa')
    await clock.advance(1000)
    await put(cache, 'bbbb')
    await clock.advance(1000)
    await cache.find(named('aaaa').digest)
    await clock.advance(1000)
    await put(cache, 'cccc')
    expect(await kept()).toEqual(['aaaa', 'cccc'])
    const release = cache.pin(named('aaaa').digest)
    await clock.advance(1000)
    await put(cache, 'dddd')
    expect(await kept()).toEqual(['aaaa', 'dddd'])
    cache.pin(named('dddd').digest)
    expect(await codeOf(cache.begin(named('bbbb')))).toBe('PAYLOAD_TOO_LARGE')
    release()
    await put(cache, 'bbbb')
    expect(await kept()).toEqual(['bbbb', 'dddd'])
  })

  it('takes nothing that is larger than its quota, and counts what is still coming', async () => {
    const cache = createWeightsCache({ directory: directory(), quotaBytes: 10, clock: systemClock })
    expect(await codeOf(cache.begin(named('eleven chars')))).toBe('PAYLOAD_TOO_LARGE')
    await cache.begin(named('six...'))
    cache.pin(named('six...').digest)
    expect(await codeOf(cache.begin(named('other6')))).toBe('PAYLOAD_TOO_LARGE')
  })
})

describe('the store of weights', () => {
  const storeOf = (holders: readonly WeightsHolder[], own: ReadonlyMap<string, string> = new Map()) => {
    const cache = createWeightsCache({ directory: directory(), quotaBytes: 1e8, clock: systemClock })
    return createWeightsStore({
      cache,
      own: () => own,
      holders: () => holders,
      clock: systemClock,
      logger: silentLogger,
    })
  }
  const signal = new AbortController().signal

  it('brings weights once for all who want them, and moves no byte the second time', async () => {
    const { handlers, asked } = serve()
    const store = storeOf([holderOf('one', handlers)])
    const all = await Promise.all(Array.from({ length: 10 }, () => store.obtain(wanted, signal)))
    expect(asked).toHaveLength(6)
    expect(new Set(all.map(({ file }) => file)).size).toBe(1)
    expect(readFileSync(all[0]?.file ?? '').equals(content)).toBe(true)
    const again = await store.obtain(wanted, signal)
    expect(again.movedBytes).toBe(0)
    expect(asked).toHaveLength(6)
  })

  it('uses a file of its operator where it lies', async () => {
    const store = storeOf([], new Map([[digest, '/somewhere/model.gguf']]))
    expect(await store.obtain(wanted, signal)).toMatchObject({ file: '/somewhere/model.gguf', movedBytes: 0 })
  })

  it('keeps what has come when it fails, and goes on from there', async () => {
    const { handlers, asked } = serve()
    let broken = true
    const breaking: CallHandlers = {
      ...handlers,
      async *[WEIGHTS_METHODS.chunk](body, call, context) {
        const { index } = body as { index: number } // our own call
        const chunk = handlers[WEIGHTS_METHODS.chunk]
        if (broken && index > 2) yield new Uint8Array(1)
        else if (chunk) yield* chunk(body, call, context)
      },
    }
    const store = storeOf([holderOf('one', breaking)])
    expect(await codeOf(store.obtain(wanted, signal))).toBe('PEER_UNREACHABLE')
    broken = false
    const { movedBytes, file } = await store.obtain(wanted, signal)
    expect(movedBytes).toBeLessThan(content.length)
    expect(asked.length).toBe(6)
    expect(existsSync(file)).toBe(true)
  })
})
