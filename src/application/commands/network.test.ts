import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadIdentity, verifyCertificate } from '../../network/index.ts'
import { systemClock } from '../../utils/clock.ts'
import { main } from '../cli.ts'
import { loadConfig } from '../config.ts'
import { createTerminal } from '../terminal.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'modelnet-keys-'))
  process.exitCode = 0
})

/** What the command prints; its exit status stands in `process.exitCode`. */
async function run(...args: readonly string[]): Promise<string> {
  const said: string[] = []
  const say = (text: string): void => void said.push(text)
  await main(['network', ...args], { ...createTerminal(), out: say, err: say })
  return said.join('').trim()
}

describe('modelnet network', () => {
  it('makes a swarm key that a configuration reads, for its owner only, and never replaces it', async () => {
    const file = join(directory, 'swarm.key')
    await run('key', '--out', file)
    expect(statSync(file).mode & 0o077).toBe(0)
    const config = loadConfig({ env: {}, settings: [`network.swarmKey=${file}`] })
    expect(config.network.swarmKey).toBe(readFileSync(file, 'utf8').split('\n')[2])
    expect(await run('key', '--out', file)).toContain('exists already')
    expect(process.exitCode).toBe(1)
    process.exitCode = 0
    expect(await run('key')).not.toContain(config.network.swarmKey)
  })

  it('signs a node in by its id, with a certificate that a configuration reads', async () => {
    const [key, data, out] = ['operator.pem', 'node', 'node.certificate'].map(name => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const operator = await run('operator', '--key', key)
    const node = await run('id', '--data-dir', data)
    expect(node).toBe((await loadIdentity(join(data, 'identity.pem'))).nodeId)
    await run('admit', node, '--key', key, '--domain', 'edge', '--days', '1', '--out', out)
    const { network } = loadConfig({ env: { MODELNET_OPERATORS: operator, MODELNET_CERTIFICATE: out } })
    const certificate = network.admission?.certificate ?? ''
    const certified = await verifyCertificate(certificate, { node, operators: [operator], clock: systemClock })
    expect(certified).toMatchObject({ domain: 'edge', node, operator })
    expect(certified.expiresAt - certified.issuedAt).toBe(24 * 60 * 60)
  })

  it.each([
    ['not-a-node', '1', 'node:'],
    ['12D3KooWD4w1aVmyUFFRgCbyjPRZT1pTNeFgbHTvBdJBvBQ6cJVQ', 'soon', 'days'],
  ])('does not sign in %s for %s days', async (node, days, reason) => {
    const said = await run('admit', node, '--key', join(directory, 'o.pem'), '--domain', 'edge', '--days', days)
    expect(said).toContain(reason)
    expect(process.exitCode).toBe(1)
    process.exitCode = 0
  })
})
