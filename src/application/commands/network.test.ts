import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadIdentity, readRevocations, verifyCertificate } from '../../network/index.ts'
import { systemClock } from '../../utils/clock.ts'
import { main } from '../cli.ts'
import { loadConfig } from '../config.ts'
import { createTerminal } from '../terminal.ts'

const NODE = '12D3KooWD4w1aVmyUFFRgCbyjPRZT1pTNeFgbHTvBdJBvBQ6cJVQ'

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
    [NODE, 'soon', 'days'],
  ])('does not sign in %s for %s days', async (node, days, reason) => {
    const key = join(directory, 'o.pem')
    await run('operator', '--key', key)
    const said = await run('admit', node, '--key', key, '--domain', 'edge', '--days', days)
    expect(said).toContain(reason)
    expect(process.exitCode).toBe(1)
    process.exitCode = 0
  })

  it('takes certificates back in a list that a configuration reads, and adds to it', async () => {
    const [key, list] = [join(directory, 'operator.pem'), join(directory, 'operator.revocations')]
    const operator = await run('operator', '--key', key)
    const nodes = await Promise.all(['one', 'other'].map(name => run('id', '--data-dir', join(directory, name))))
    for (const node of nodes) await run('revoke', node, '--key', key, '--list', list)
    const { network } = loadConfig({ env: { MODELNET_OPERATORS: operator, MODELNET_REVOCATIONS: list } })
    const [jws = ''] = network.admission?.revocations ?? []
    const { revoked, seq } = await readRevocations(jws, [operator])
    expect(revoked.map(({ node }) => node)).toEqual(nodes)
    expect(seq).toBe(2)
  })

  it('names the list that is none, and leaves it as it is', async () => {
    const [key, list] = [join(directory, 'operator.pem'), join(directory, 'notes.txt')]
    await run('operator', '--key', key)
    writeFileSync(list, 'buy milk')
    expect(await run('revoke', NODE, '--key', key, '--list', list)).toContain(`${list}: expected a compact JWS`)
    expect(readFileSync(list, 'utf8')).toBe('buy milk')
    process.exitCode = 0
  })

  it.each([
    ['admit', ['--domain', 'edge']],
    ['revoke', ['--list', '/nowhere/list']],
  ])('%s makes no key of an operator by itself: nobody would trust it', async (command, options) => {
    const key = join(directory, 'mistyped.pem')
    expect(await run(command, NODE, '--key', key, ...options)).toContain(`${key} does not exist`)
    expect(existsSync(key)).toBe(false)
    expect(process.exitCode).toBe(1)
    process.exitCode = 0
  })
})
