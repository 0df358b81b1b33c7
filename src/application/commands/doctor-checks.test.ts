import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  checkDataDirectory,
  checkGateway,
  checkGatewayPort,
  checkListenPorts,
  checkModels,
  checkNodeVersion,
} from './doctor-checks.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modelnet-doctor-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('the doctor', () => {
  it('knows which versions of Node are enough', () => {
    const verdicts = ['18.20.0', '20.18.9', '20.19.0', '22.1.0'].map(version => checkNodeVersion(version).verdict)
    expect(verdicts).toEqual(['fail', 'fail', 'ok', 'ok'])
  })

  it('finds a port that is taken', async () => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const gateway = { host: '127.0.0.1', keys: [], maxBodyBytes: 1024, deadlineMs: 1000 }
    expect((await checkGatewayPort({ ...gateway, port })).verdict).toBe('fail')
    expect((await checkListenPorts([`/ip4/127.0.0.1/tcp/${port}`], false)).verdict).toBe('fail')
    expect((await checkListenPorts([`/ip4/127.0.0.1/tcp/${port}`], true)).verdict).toBe('ok')
    await new Promise(resolve => server.close(resolve))
    expect((await checkGatewayPort({ ...gateway, port })).verdict).toBe('ok')
  })

  it('refuses a key that others can read', async () => {
    const key = join(directory, 'identity.pem')
    await writeFile(key, 'secret', { mode: 0o600 })
    expect((await checkDataDirectory(directory)).verdict).toBe('ok')
    await chmod(key, 0o644)
    expect(await checkDataDirectory(directory)).toMatchObject({ verdict: 'fail', remedy: `chmod 600 ${key}` })
  })

  it('finds a shipped model that was changed', async () => {
    const file = join(directory, 'x.gguf')
    await writeFile(file, 'weights')
    const digest = 'sha256:9c1e0e2d'
    const spec = { id: 'modelnet/x', description: 'x', tags: [], file, digest }
    expect(await checkModels([{ name: 'x', spec }])).toMatchObject({ verdict: 'fail', detail: 'not as shipped: x' })
  })

  it('warns when no gateway answers', async () => {
    expect((await checkGateway({ url: 'http://127.0.0.1:1' })).verdict).toBe('warn')
  })
})
