import { afterEach, describe, expect, it } from 'vitest'
import { CHANNEL_PROTOCOL } from '../protocol/index.ts'
import { createManualClock, type ManualClock } from '../testing/manual-clock.ts'
import { type Logger, silentLogger } from '../utils/logger.ts'
import type { AdmissionOptions } from './admission.ts'
import { issueCertificate } from './certificate.ts'
import { createStreamTransport } from './channel-transports/stream.ts'
import { createIdentity, type Identity } from './identity.ts'
import { createChannel } from './multiplexer.ts'
import type { Network } from './network.ts'
import { createMemoryHub, type MemoryHub } from './networks/memory.ts'
import { createPeerLinks, type PeerLinks } from './peer-links.ts'
import { createRevocations, revoke } from './revocations.ts'

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

  describe('when an operator takes a certificate back', () => {
    const nowS = (): number => Math.floor(clock.now() / 1000)
    /** Three linked members, and a fourth that comes with the list. */
    async function revoking(by: Identity): Promise<[Node, Node, Node]> {
      const [a, b, revoked] = [await member(), await member(), await member()]
      for (const node of [b, revoked]) await node.network.dial(a.network.addresses()[0] ?? '')
      await revoked.network.dial(b.network.addresses()[0] ?? '')
      await pass(2000)
      expect(a.links.linked().length).toBe(2)
      const { jws } = await revoke(by, nowS(), revoked.network.nodeId)
      const bringer = await start(async id => ({
        certificate: await certify(id),
        operators: [operator.nodeId],
        revocations: [jws],
      }))
      await bringer.network.dial(a.network.addresses()[0] ?? '')
      await pass(3000)
      return [a, b, revoked]
    }

    it('ends its links everywhere, by one node that knows, and lets it in no more', async () => {
      const [a, b, revoked] = await revoking(operator)
      for (const node of [a, b]) {
        expect(node.links.linked()).not.toContain(revoked.network.nodeId)
        expect(node.links.domain(revoked.network.nodeId)).toBeUndefined()
      }
      await revoked.network.dial(b.network.addresses()[0] ?? '')
      expect(['FORBIDDEN', 'PEER_LOST']).toContain(await ask(revoked, b))
      expect(await ask(a, b)).toEqual(['hello'])
    })

    it('believes only operators it trusts', async () => {
      const [a, b, revoked] = await revoking(createIdentity())
      for (const node of [a, b]) expect(node.links.linked()).toContain(revoked.network.nodeId)
      expect(await ask(revoked, b)).toEqual(['hello'])
    })

    it('is not undone by an older list, and counts for certificates issued before only', async () => {
      const node = createIdentity().nodeId
      const revocations = createRevocations([operator.nodeId])
      const at = (issuedAt: number) =>
        ({ version: 1, node, operator: operator.nodeId, domain: 'd', issuedAt, expiresAt: 1e10 }) as const
      const first = await revoke(operator, 1000, createIdentity().nodeId)
      const second = await revoke(operator, 2000, node, first.list)
      expect([await revocations.take(second.jws), await revocations.take(first.jws)]).toEqual([true, false])
      expect([1999, 2000, 2001].map(issuedAt => revocations.includes(at(issuedAt)))).toEqual([true, true, false])
      expect(second.list.revoked.length).toBe(2)
      expect(revocations.lists()).toEqual([second.jws])
      await expect(revocations.take((await revoke(createIdentity(), 3000, node)).jws)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      })
    })
  })

  it('answers no more greetings of one peer than its share', async () => {
    const inside = await member()
    const outside = await start(async () => undefined)
    await outside.network.dial(inside.network.addresses()[0] ?? '')
    const channel = createChannel(
      createStreamTransport(await outside.network.open(inside.network.nodeId, CHANNEL_PROTOCOL)),
      { peer: inside.network.nodeId, clock },
    )
    const outcomes = Array.from({ length: 60 }, async () => {
      const call = channel.call('link/admit', { certificate: 'a.b.c' })
      call.end()
      for await (const _ of call.parts);
    }).map(outcome => outcome.catch(error => error.code))
    await pass(500)
    const codes = await Promise.all(outcomes)
    expect(codes.filter(code => code === 'OVERLOADED').length).toBeGreaterThan(35)
  })
})
