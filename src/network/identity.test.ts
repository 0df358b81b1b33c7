import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { toPublicKey } from '../protocol/index.ts'
import { createIdentity } from './identity.ts'
import { loadIdentity } from './identity-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelnet-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('has the node id that libp2p gives the same key', async () => {
  const seed = Uint8Array.from({ length: 32 }, (_, index) => index)
  const { nodeId } = createIdentity(seed)
  const key = await generateKeyPairFromSeed('Ed25519', seed)
  expect(nodeId).toBe(peerIdFromPrivateKey(key).toString())
  expect(toPublicKey(nodeId)).toEqual(Uint8Array.from(key.publicKey.raw))
})

it('signs what its public key verifies', async () => {
  const identity = createIdentity()
  const key = await crypto.subtle.importKey('raw', toPublicKey(identity.nodeId).slice(), 'Ed25519', false, ['verify'])
  const bytes = Uint8Array.of(1, 2, 3)
  expect(await crypto.subtle.verify('Ed25519', key, identity.sign(bytes).slice(), bytes)).toBe(true)
})

it('refuses a seed of another length', () => {
  expect(() => createIdentity(new Uint8Array(31))).toThrow('32 bytes, not 31')
})

it('makes a key for the owner only on first use, and reads the same one later', async () => {
  const file = join(folder, 'deep', 'identity.pem')
  const [first, rival] = await Promise.all([loadIdentity(file), loadIdentity(file)])
  expect(rival.nodeId).toBe(first.nodeId)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await loadIdentity(file)).seed).toEqual(first.seed)
  expect(await readdir(join(folder, 'deep'))).toEqual(['identity.pem'])
})

it('refuses a key that others may read', async () => {
  const file = join(folder, 'identity.pem')
  await loadIdentity(file)
  await chmod(file, 0o640)
  await expect(loadIdentity(file)).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringMatching(/mode 640, expected 600/),
  })
})

it.each(['', 'hello', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'])(
  'refuses a file that is not a key: %j',
  async content => {
    const file = join(folder, 'identity.pem')
    await writeFile(file, content, { mode: 0o600 })
    await expect(loadIdentity(file)).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/not an Ed25519/),
    })
  },
)

it('refuses a folder', async () => {
  await chmod(folder, 0o700)
  await expect(loadIdentity(folder)).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringMatching(/cannot be read/),
  })
})
