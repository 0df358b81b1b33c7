import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock, type ManualClock } from '../testing/manual-clock.ts'
import { type Logger, silentLogger } from '../utils/logger.ts'
import type { AdmissionOptions } from './admission.ts'
import { issueCertificate } from './certificate.ts'
import { createIdentity, type Identity } from './identity.ts'
import type { Network } from './network.ts'
import { createMemoryHub, type MemoryHub } from './networks/memory.ts'
import { createPeerLinks, type PeerLinks } from './peer-links.ts'

interface Node {
  readonly network: Network
  readonly links: PeerLinks
}

let clock: ManualClock = createManualClock()
let hub: MemoryHub = createMemoryHub({ clock })
const operator = createIdentity()
const nodes: Node[] = []

const certify = (node: string, by: Identity = operator, lifeS = 3600): Promise<string> =>
  issueCertificate(by, clock, { node, domain: 'edge', lifeS })

/** A node with a certificate of the operator, or with what the test gives it. */
async function start(
  change: (nodeId: string) => Promise<AdmissionOptions | undefined>,
  logger: Logger = silentLogger,
): Promise<Node> {
  const identity = createIdentity()
  const network = hub.createNetwork({ identity })
  await network.start()
  const admission = await change(identity.nodeId)
  const links = createPeerLinks({ network, clock, logger }, admission ? { admission } : {})
  links.serve({
    async *echo(body) {
      yield body
    },
  })
  nodes.push({ network, links })
  return { network, links }
}
const member = (): Promise<Node> =>
  start(async nodeId => ({ certificate: await certify(nodeId), operators: [operator.nodeId] }))

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await clock.advance(100)
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setTimeout(resolve, 2)) // signatures are checked on other threads
  }
}

async function ask(from: Node, to: Node): Promise<unknown> {
  const outcome = (async () => {
    const channel = await from.links.channel(to.network.nodeId)
    const parts: unknown[] = []
    for await (const part of channel.call('echo', 'hello').parts) parts.push(part)
    return parts
  })().catch(error => error.code)
  await pass(8000)
  return outcome
}

describe('admission', () => {
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ links }) => links.close()))
    clock = createManualClock()
    hub = createMemoryHub({ clock })
  })

  it('lets nodes of an operator work together, and tells their domain', async () => {
    const [a, b] = [await member(), await member()]
    await a.network.dial(b.network.addresses()[0] ?? '')
    expect(await ask(a, b)).toEqual(['hello'])
    expect(await ask(b, a)).toEqual(['hello'])
    expect(a.links.domain(b.network.nodeId)).toBe('edge')
    expect([a, b].map(node => node.links.linked().length)).toEqual([1, 1])
  })

  it.each<[string, (nodeId: string) => Promise<AdmissionOptions | undefined>]>([
    ['shows none', async () => undefined],
    ['shows garbage', async () => ({ certificate: 'a.b.c', operators: [operator.nodeId] })],
    [
      'shows that of another node',
      async () => ({ certificate: await certify(createIdentity().nodeId), operators: [operator.nodeId] }),
    ],
    [
      'is signed for by a stranger',
      async id => ({ certificate: await certify(id, createIdentity()), operators: [operator.nodeId] }),
    ],
    [
      'shows one that has expired',
      async id => ({ certificate: await certify(id, operator, 1), operators: [operator.nodeId] }),
    ],
  ])('serves nothing to a node that %s, and does not count it as linked', async (_, change) => {
    const inside = await member()
    const outside = await start(change)
    await pass(2000)
    await outside.network.dial(inside.network.addresses()[0] ?? '')
    const outcome = await ask(outside, inside)
    expect(outcome).not.toEqual(['hello'])
    expect(inside.links.linked()).toEqual([])
    expect(inside.links.domain(outside.network.nodeId)).toBeUndefined()
    const [a] = [await member()]
    await a.network.dial(inside.network.addresses()[0] ?? '')
    expect(await ask(a, inside)).toEqual(['hello'])
  })

  it('tells a node without a certificate at once, which says so once', async () => {
    const inside = await member()
    const warnings: string[] = []
    const outside = await start(async () => undefined, { ...silentLogger, warn: (_, text) => void warnings.push(text) })
    for (let attempt = 0; attempt < 2; attempt++) {
      await outside.network.dial(inside.network.addresses()[0] ?? '')
      expect(await ask(outside, inside)).toBe('FORBIDDEN')
    }
    expect(warnings.filter(text => text.includes('has no certificate'))).toHaveLength(1)
  })

  it('takes strangers in as of no domain where no certificate is required', async () => {
    const open = async (): Promise<Node> =>
      start(async id => ({ certificate: await certify(id), operators: [operator.nodeId], required: false }))
    const [one, two, stranger] = [await open(), await open(), await start(async () => undefined)]
    const foreign = await start(async id => ({
      certificate: await certify(id, createIdentity()),
      operators: [operator.nodeId],
      required: false,
    }))
    for (const other of [two, stranger, foreign]) {
      await other.network.dial(one.network.addresses()[0] ?? '')
      expect(await ask(other, one)).toEqual(['hello'])
    }
    const domains = [two, stranger, foreign].map(({ network }) => one.links.domain(network.nodeId))
    expect(domains).toEqual(['edge', undefined, undefined])
  })

  it('keeps to what else decides, once the domain is known', async () => {
    const admits = (_: string, domain: string | undefined): boolean => domain === 'edge'
    const picky = await start(async id => ({
      certificate: await certify(id),
      operators: [operator.nodeId],
      required: false,
      admits,
    }))
    const [edge, stranger] = [await member(), await start(async () => undefined)]
    await edge.network.dial(picky.network.addresses()[0] ?? '')
    expect(await ask(edge, picky)).toEqual(['hello'])
    await stranger.network.dial(picky.network.addresses()[0] ?? '')
    expect(await ask(stranger, picky)).toBe('FORBIDDEN')
  })

  it('ends with the certificate', async () => {
    const inside = await member()
    const guest = await start(async id => ({
      certificate: await certify(id, operator, 60),
      operators: [operator.nodeId],
    }))
    await guest.network.dial(inside.network.addresses()[0] ?? '')
    expect(await ask(guest, inside)).toEqual(['hello'])
    await pass(60_000)
    expect(await ask(guest, inside)).toBe('FORBIDDEN')
  })
})
