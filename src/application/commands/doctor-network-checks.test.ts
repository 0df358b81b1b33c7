import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createIdentity, issueCertificate, loadIdentity } from '../../network/index.ts'
import { systemClock } from '../../utils/clock.ts'
import { loadConfig } from '../config.ts'
import { checkBootstrap, checkCertificate } from './doctor-network-checks.ts'

const config = (...settings: readonly string[]): ReturnType<typeof loadConfig> => loadConfig({ env: {}, settings })

describe('modelnet doctor, of the network', () => {
  it('names the addresses to join through at which nobody listens', async () => {
    const server = createServer(socket => socket.destroy())
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number } // it listens on TCP
    const address = `/ip4/127.0.0.1/tcp/${port}`
    const { network } = config(`network.bootstrap=["${address}"]`)
    expect(await checkBootstrap(network)).toMatchObject({ verdict: 'ok', detail: '1 of 1 answer' })
    await new Promise(resolve => server.close(resolve))
    expect(await checkBootstrap(network)).toMatchObject({ verdict: 'warn', detail: expect.stringContaining(address) })
    expect(await checkBootstrap({ ...network, bootstrap: [] })).toMatchObject({ verdict: 'ok' })
  })

  it.each([
    [365, 'ok', 'domain edge, valid for 364 more days'],
    [3, 'warn', 'valid for 2 more days'],
  ] as const)('says for how long the certificate of %d days lasts', async (days, verdict, detail) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'modelnet-doctor-'))
    const operator = createIdentity()
    const { nodeId: node } = await loadIdentity(join(dataDir, 'identity.pem'))
    const lifeS = days * 24 * 60 * 60 - 60
    const certificate = await issueCertificate(operator, systemClock, { node, domain: 'edge', lifeS })
    const admission = `network.admission={operators: [${operator.nodeId}], certificate: ${certificate}}`
    const finding = await checkCertificate(config(`dataDir=${dataDir}`, admission))
    expect(finding).toMatchObject({ verdict, detail: expect.stringContaining(detail) })
    // The same certificate does not admit another node.
    const elsewhere = mkdtempSync(join(tmpdir(), 'modelnet-doctor-'))
    expect(await checkCertificate(config(`dataDir=${elsewhere}`, admission))).toMatchObject({ verdict: 'fail' })
  })
})
