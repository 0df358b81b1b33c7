import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { ConfigInput } from '../src/application/config-schema.ts'
import type { Node } from '../src/application/node.ts'
import { createIdentity, issueCertificate, loadIdentity, revoke } from '../src/network/index.ts'
import { systemClock } from '../src/utils/clock.ts'
import { addressOf, closeConfigured, linked, startConfigured as start } from './support/configured-nodes.ts'
import { temporaryDirectory } from './support/processes.ts'

afterEach(closeConfigured)

const GEOGRAPHY = { shipped: 'geography' } as const
const CAPITAL = 'What is the capital of France?'

describe('private networks', () => {
  it('of different swarm keys on one machine never see one another', async () => {
    const keys = [0, 1].map(() => randomBytes(32).toString('hex'))
    const pair = async (key: string, elsewhere: readonly string[]): Promise<readonly [Node, Node]> => {
      const env = { MODELNET_SWARM_KEY: key }
      const first = await start({ models: [GEOGRAPHY], network: { mdns: true, bootstrap: elsewhere } }, env)
      const second = await start({ network: { mdns: true, bootstrap: [addressOf(first), ...elsewhere] } }, env)
      await linked(first, second)
      return [first, second]
    }
    const one = await pair(keys[0] ?? '', [])
    // The others even know where the first network is, and listen to the same multicast.
    const two = await pair(keys[1] ?? '', one.map(addressOf))
    for (const node of [...one, ...two]) {
      expect(node.directory.entries()).toHaveLength(2)
      expect((await node.ask(CAPITAL)).text).toContain('Paris')
    }
    const stranger = await start({ network: { bootstrap: one.map(addressOf) } })
    expect(stranger.directory.entries()).toHaveLength(1)
  })

  it('of different names have no protocol in common', async () => {
    const lab = await start({ network: { name: 'lab' } })
    const bootstrap = [addressOf(lab)]
    const [inside, outside] = await Promise.all([
      start({ network: { name: 'lab', bootstrap } }),
      start({ network: { name: 'office', bootstrap } }),
    ])
    await linked(lab, inside)
    expect(outside.directory.entries()).toHaveLength(1)
    expect(lab.directory.entries()).toHaveLength(2)
  })

  it('take only the nodes that are named, if they are', async () => {
    const dataDir = temporaryDirectory()
    const { nodeId } = await loadIdentity(join(dataDir, 'identity.pem'))
    const picky = await start({ network: { allow: [nodeId] } })
    const bootstrap = [addressOf(picky)]
    const [named, other] = await Promise.all([
      start({ dataDir, network: { bootstrap } }),
      start({ network: { bootstrap } }),
    ])
    await linked(picky, named)
    expect(picky.directory.entry(other.id)).toBeUndefined()
  })
})

describe('a network whose operator admits nodes', () => {
  const operator = createIdentity()
  const OPEN = { required: false }

  /** Configuration of a node with a certificate of that operator for its own identity. */
  async function admitted(
    domain: string,
    config: ConfigInput = {},
    admission: { readonly required?: boolean; readonly revocations?: readonly string[] } = {},
  ): Promise<ConfigInput> {
    const dataDir = temporaryDirectory()
    const { nodeId } = await loadIdentity(join(dataDir, 'identity.pem'))
    const certificate = await issueCertificate(operator, systemClock, { node: nodeId, domain, lifeS: 3600 })
    const network = { ...config.network, admission: { operators: [operator.nodeId], certificate, ...admission } }
    return { dataDir, ...config, network }
  }
  const joining = (node: Node): { network: { bootstrap: readonly string[] } } => ({
    network: { bootstrap: [addressOf(node)] },
  })

  it('refuses a node without a certificate, and says so', async () => {
    const first = await start(await admitted('cloud', { models: [GEOGRAPHY] }))
    const second = await start(await admitted('edge', joining(first)))
    await linked(first, second)
    expect(second.directory.entry(first.id)?.domain).toBe('cloud')
    expect(first.directory.entry(second.id)?.domain).toBe('edge')

    const stranger = await start(joining(first))
    expect(stranger.directory.entries().filter(entry => entry.cards.length > 0)).toEqual([])
    await expect(stranger.ask(CAPITAL)).rejects.toMatchObject({ code: 'NO_CANDIDATE' })
    expect(first.directory.entry(stranger.id)).toBeUndefined()
  })

  it('does not start with the certificate of another node or a stranger', async () => {
    const { nodeId } = createIdentity()
    const other = await issueCertificate(operator, systemClock, { node: nodeId, domain: 'edge', lifeS: 60 })
    const network = { admission: { operators: [operator.nodeId], certificate: other, required: true } }
    await expect(start({ network })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining(nodeId),
    })
    const mine = await admitted('edge')
    await expect(start({ ...mine, network: { ...mine.network, domain: 'cloud' } })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })

  it('remembers over a restart whom its operator took back, although no peer tells it again', async () => {
    const revoked = await start(await admitted('edge', { models: [GEOGRAPHY] }))
    const remembering = await admitted('cloud', joining(revoked))
    const first = await start(remembering)
    await linked(first, revoked)

    const { jws } = await revoke(operator, systemClock.now() / 1000, revoked.id)
    const bringer = await start(await admitted('cloud', joining(first), { revocations: [jws] }))
    await expect.poll(() => first.directory.entry(revoked.id)?.state, { timeout: 10_000 }).not.toBe('alive')
    await Promise.all([first.close(), bringer.close()])

    const again = await start(remembering)
    await expect(again.ask(CAPITAL)).rejects.toMatchObject({ code: 'NO_CANDIDATE' })
    expect(again.directory.entry(revoked.id)).toBeUndefined()
  })

  it('lets a model be used by the domains it is for, and by no others', async () => {
    const owner = await start(
      await admitted('cloud', { models: [{ ...GEOGRAPHY, allow: ['edge'] }, { shipped: 'words' }] }, OPEN),
    )
    const edge = await start(await admitted('edge', joining(owner), OPEN))
    const stranger = await start({ ...joining(owner), models: [{ shipped: 'elements' }] })
    await linked(owner, edge, stranger)

    expect((await edge.ask(CAPITAL)).text).toContain('Paris')
    expect((await owner.ask(CAPITAL)).text).toContain('Paris')
    await expect(stranger.ask(CAPITAL, { pathway: 'geography' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      status: 403,
    })
    // Left to the network, the question goes to a model it may use, whatever that is worth.
    expect((await stranger.ask(CAPITAL)).members?.some(({ model }) => model === 'modelnet/geography')).toBe(false)
    const { text } = await stranger.ask('What is the plural of box?', { pathway: 'words' })
    expect(text).toContain('boxes')
  })

  it('answers elsewhere when a node does not trust the operator who signed for the asker', async () => {
    const strict = await start(await admitted('cloud', { models: [{ ...GEOGRAPHY, allow: ['edge'] }] }, OPEN))
    const open = await start({ ...joining(strict), models: [GEOGRAPHY] })
    const stranger = createIdentity()
    const dataDir = temporaryDirectory()
    const { nodeId: node } = await loadIdentity(join(dataDir, 'identity.pem'))
    const certificate = await issueCertificate(stranger, systemClock, { node, domain: 'edge', lifeS: 3600 })
    const admission = { operators: [stranger.nodeId], certificate, required: false }
    const asker = await start({ dataDir, network: { bootstrap: [addressOf(strict)], admission } })
    await linked(strict, open, asker)
    await expect(asker.ask(CAPITAL, { pathway: `geography@${strict.id}` })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    for (let round = 0; round < 5; round++) {
      const { text, members } = await asker.ask(CAPITAL)
      expect(text).toContain('Paris')
      expect(members).toMatchObject([{ node: open.id }])
    }
  })
})
