import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../utils/logger.ts'
import { createFilePeerBook, type PeerBook } from './peer-book.ts'

const now = Date.UTC(2026, 0, 1)
const day = 24 * 60 * 60 * 1000

describe('createFilePeerBook', () => {
  let folder: string
  let path: string
  let book: PeerBook

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peer-book-'))
    path = join(folder, 'deep', 'peers.json')
    book = createFilePeerBook({ logger: silentLogger, now: () => now }, path)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('is empty before anything was saved', async () => {
    expect(await book.load()).toEqual([])
  })

  it('gives back what was saved, latest first, in a file for the owner only', async () => {
    const old = { peer: 'a', addresses: ['/ip4/127.0.0.1/tcp/1'], seenAt: now - day }
    const fresh = { peer: 'b', addresses: ['/ip4/127.0.0.1/tcp/2'], seenAt: now }
    await book.save([old, fresh])
    expect(await book.load()).toEqual([fresh, old])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('forgets peers not seen for a month and keeps a bounded number', async () => {
    const entry = (index: number, seenAt: number) => ({
      peer: `p${index}`,
      addresses: ['/ip4/127.0.0.1/tcp/1'],
      seenAt,
    })
    await book.save([entry(0, now - 31 * day), ...Array.from({ length: 1000 }, (_, i) => entry(i + 1, now - i))])
    const entries = await book.load()
    expect(entries.length).toBe(256)
    expect(entries[0]?.peer).toBe('p1')
  })

  it.each(['', '{', '[]x', '[{"peer":1}]', 'null', '[{"peer":"a","addresses":["x"]}]'])(
    'starts anew when the file holds %j',
    async text => {
      await book.save([])
      await writeFile(path, text)
      expect(await book.load()).toEqual([])
    },
  )

  it('leaves one whole file behind when saves overlap', async () => {
    const entry = (peer: string) => ({ peer, addresses: ['/ip4/127.0.0.1/tcp/1'], seenAt: now })
    await Promise.all(['a', 'b', 'c'].map(peer => book.save([entry(peer)])))
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual([entry('c')])
  })
})
