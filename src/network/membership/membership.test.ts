import { afterEach, describe, expect, it } from 'vitest'
import {
  CHANNEL_PROTOCOL,
  DOCUMENT_TYPES,
  type MemberRecord,
  type ModelCard,
  signDocument,
} from '../../protocol/index.ts'
import { createManualClock, type ManualClock } from '../../testing/manual-clock.ts'
import type { Clock } from '../../utils/clock.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createRandom } from '../../utils/random.ts'
import type { Channel } from '../channel.ts'
import { createIdentity, type Identity } from '../identity.ts'
import type { Network } from '../network.ts'
import { createMemoryHub, type MemoryHub } from '../networks/memory.ts'
import { createPeerLinks, type PeerLinks } from '../peer-links.ts'
import { createMembership, type Membership, type MembershipOptions } from './membership.ts'

interface Node {
  readonly identity: Identity
  readonly network: Network
  readonly links: PeerLinks
  readonly membership: Membership
}

let clock: ManualClock
let hub: MemoryHub
const nodes: Node[] = []

const nowS = (): number => Math.floor(clock.now() / 1000)
const card = (node: string, id: string): ModelCard => ({
  version: 1,
  id,
  node,
  description: 'a model',
  tags: ['skill:test'],
  capabilities: ['generate'],
  contextLength: 512,
  engine: 'scripted',
  issuedAt: nowS(),
  expiresAt: nowS() + 3600,
})

async function start(
  name: string,
  bootstrap: readonly Node[] = [],
  options: MembershipOptions = {},
  itsClock: Clock = clock,
  identity: Identity = createIdentity(),
): Promise<Node> {
  const network = hub.createNetwork({ identity })
  await network.start()
  const components = { network, clock: itsClock, logger: silentLogger }
  const links = createPeerLinks(components)
  const membership = await createMembership(
    { ...components, links, identity, random: createRandom(name) },
    {
      cards: [card(identity.nodeId, name)],
      bootstrap: bootstrap.flatMap(node => node.network.addresses()),
      ...options,
    },
  )
  const node = { identity, network, links, membership }
  nodes.push(node)
  return node
}

/** Lets time pass in small steps. */
async function pass(ms: number, until: () => boolean = () => false): Promise<number> {
  for (let passed = 0; ; passed += 50) {
    if (until()) return passed
    if (passed >= ms) return Number.POSITIVE_INFINITY
    await clock.advance(50)
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setTimeout(resolve, 1)) // signatures are checked on other threads
  }
}

const state = (node: Node, of: Node) => node.membership.entry(of.identity.nodeId)?.state
const sees = (node: Node, other: Node): boolean =>
  state(node, other) === 'alive' && node.membership.entry(other.identity.nodeId)?.cards.length === 1
const allSee = (members: readonly Node[]) => () =>
  members.every(node => members.every(other => node === other || sees(node, other)))

/** Whether something has come true, told by a function that can be asked again and again. */
function isOver(promise: Promise<void>): () => boolean {
  let over = false
  void promise.then(() => {
    over = true
  })
  return () => over
}

async function form(count: number): Promise<Node[]> {
  const first = await start('node-0')
  const others = []
  for (let index = 1; index < count; index++) others.push(await start(`node-${index}`, [first]))
  const members = [first, ...others]
  expect(await pass(5000, allSee(members))).toBeLessThan(5000)
  return members
}

const only = (members: readonly Node[], index: number): Node => {
  const node = members[index]
  if (!node) throw new Error(`no node ${index}`)
  return node
}

/** A node that speaks the protocol of channels and then whatever it likes. */
async function attack(target: Node): Promise<{ identity: Identity; channel: Channel; links: PeerLinks }> {
  const identity = createIdentity()
  const network = hub.createNetwork({ identity })
  await network.start()
  const links = createPeerLinks({ network, clock, logger: silentLogger })
  await network.dial(target.network.addresses()[0] ?? '')
  return { identity, channel: await links.channel(target.identity.nodeId), links }
}

async function outcome(channel: Channel, method: string, body: unknown): Promise<unknown> {
  const call = channel.call(method, body)
  call.end()
  const parts: unknown[] = []
  const reading = (async () => {
    for await (const part of call.parts) parts.push(part)
    return parts
  })().catch(error => error.code)
  await pass(200)
  return reading
}

const sign = async (identity: Identity, change: Partial<MemberRecord> = {}): Promise<string> => {
  const record = {
    version: 1,
    node: identity.nodeId,
    seq: clock.now(),
    issuedAt: nowS(),
    expiresAt: nowS() + 600,
    protocols: [CHANNEL_PROTOCOL],
    addresses: [`/memory/${identity.nodeId}/p2p/${identity.nodeId}`],
    ...change,
  }
  return (await signDocument(record, DOCUMENT_TYPES.member, identity)).jws
}

describe('createMembership', { timeout: 120_000 }, () => {
  clock = createManualClock()
  hub = createMemoryHub({ clock })
  afterEach(async () => {
    const closing = Promise.all(
      nodes.splice(0).map(async ({ membership, links, network }) => {
        await membership.close()
        await links.close()
        await network.close()
      }),
    )
    await pass(1000)
    await closing
    clock = createManualClock()
    hub = createMemoryHub({ clock })
  })

  it('shows a node that has come back to all others within a second, however long it was gone', async () => {
    const members = await form(8)
    for (const [index, goneMs] of [500, 3000, 20_000].entries()) {
      const victim = only(members, index + 1)
      hub.kill(victim.identity.nodeId)
      await pass(goneMs)
      const back = await start('back', [only(members, 0)], {}, clock, victim.identity)
      members[index + 1] = back
      const knows = (node: Node): boolean =>
        node === back || (sees(node, back) && node.membership.entry(back.identity.nodeId)?.cards[0]?.id === 'back')
      expect(await pass(5000, () => members.every(knows))).toBeLessThanOrEqual(1000)
      expect(await pass(5000, allSee(members))).toBeLessThanOrEqual(1000)
    }
  })

  it('lets 12 nodes that know one address know one another', async () => {
    const members = await form(12)
    for (const node of members)
      expect(
        node.membership
          .entries()
          .map(entry => entry.nodeId)
          .toSorted(),
      ).toEqual(members.map(each => each.identity.nodeId).toSorted())
  })

  it('is introduced when all whom it found have told what they offer', async () => {
    const members = await form(4)
    const late = await start('late', [only(members, 0)])
    expect(await pass(5000, isOver(late.membership.introduced))).toBeLessThanOrEqual(2000)
    for (const node of members) expect(sees(late, node)).toBe(true)
  })

  it('is introduced to those that are discovered in the time it was given for that', async () => {
    const [early, late] = [await start('early'), await start('late', [], { discoverMs: 500 })]
    const isIntroduced = isOver(late.membership.introduced)
    expect(await pass(300, isIntroduced)).toBe(Number.POSITIVE_INFINITY)
    late.membership.discover(early.identity.nodeId, early.network.addresses())
    expect(await pass(2000, isIntroduced)).toBeLessThanOrEqual(2000)
    expect(sees(late, early)).toBe(true)
  })

  it('does not wait longer than 2 s for a node that says nothing', async () => {
    const identity = createIdentity()
    const network = hub.createNetwork({ identity })
    await network.start()
    const silent = createPeerLinks({ network, clock, logger: silentLogger })
    silent.serve({
      // biome-ignore lint/correctness/useYield: it says nothing
      async *'member/sync'(_body, _call, { signal }) {
        await clock.sleep(3_600_000, signal)
      },
    })
    const [first, late] = [await start('first'), await start('late', [], { bootstrap: network.addresses() })]
    expect(await pass(5000, isOver(first.membership.introduced))).toBeLessThanOrEqual(100)
    const introducedMs = await pass(5000, isOver(late.membership.introduced))
    await silent.close()
    expect(introducedMs).toBeGreaterThan(500)
    expect(introducedMs).toBeLessThanOrEqual(2200)
  })

  it('does not wait longer than 2 s for addresses that neither answer nor refuse', async () => {
    const gone = await start('gone')
    hub.pause(gone.identity.nodeId)
    const late = await start('late', [gone])
    expect(await pass(10_000, isOver(late.membership.ready))).toBeLessThanOrEqual(2200)
    hub.resume(gone.identity.nodeId)
  })

  it('suspects a node that hangs within 3 s though its connection stands, and takes it back when it goes on', async () => {
    const members = await form(4)
    const victim = only(members, 2)
    const others = members.filter(node => node !== victim)
    await pass(3000)
    expect(allSee(members)()).toBe(true)
    hub.pause(victim.identity.nodeId)
    const suspected = await pass(5000, () => others.every(node => state(node, victim) === 'suspect'))
    expect(suspected).toBeLessThanOrEqual(3000)
    hub.resume(victim.identity.nodeId)
    expect(await pass(3000, allSee(members))).toBeLessThan(3000)
  })

  it('counts a node that hangs for long as left, and takes it back when it goes on', async () => {
    const members = await form(3)
    const victim = only(members, 1)
    const others = members.filter(node => node !== victim)
    hub.pause(victim.identity.nodeId)
    expect(await pass(12_000, () => others.every(node => state(node, victim) === 'left'))).toBeLessThan(12_000)
    hub.resume(victim.identity.nodeId)
    expect(await pass(8000, allSee(members))).toBeLessThan(8000)
  })

  it('heals a partition within 5 s, however long it was', async () => {
    const members = await form(6)
    const [left, right] = [members.slice(0, 3), members.slice(3)]
    hub.partition(
      left.map(node => node.identity.nodeId),
      right.map(node => node.identity.nodeId),
    )
    await pass(20_000)
    expect([allSee(left)(), allSee(right)()]).toEqual([true, true])
    expect(left.flatMap(node => right.map(other => state(node, other)))).toEqual(Array(9).fill('left'))
    hub.heal()
    expect(await pass(5000, allSee(members))).toBeLessThan(5000)
  })

  it('keeps a network of a silent hour together: records are renewed before they expire', async () => {
    const members = await form(2)
    const bound = clock.monotonic() + 40 * 60 * 1000
    while (clock.monotonic() < bound) await clock.advance(60_000)
    await pass(2000)
    expect(allSee(members)()).toBe(true)
    const late = await start('late', [only(members, 0)], {})
    expect(await pass(3000, () => members.every(node => sees(node, late) && sees(late, node)))).toBeLessThan(3000)
  })

  it('refuses records that are forged, replayed, from the future, or too many, and goes on', async () => {
    const members = await form(3)
    const target = only(members, 0)
    const { identity, channel } = await attack(target)
    await pass(500)
    const victim = only(members, 1).identity.nodeId
    const entry = target.membership.entry(victim)
    const known = target.membership.entries().length

    const stranger = createIdentity()
    const good = await sign(stranger)
    const [header, payload, signature] = good.split('.')
    const forgedPayload = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()), seq: 1e15 }),
    ).toString('base64url')
    const bad = [
      `${header}.${forgedPayload}.${signature}`,
      `${header}.${payload}.${(signature ?? '').slice(0, -4)}AAAA`,
      await sign(identity, { node: victim, seq: 1e15, addresses: [`/memory/x/p2p/${victim}`] }),
      await sign(createIdentity(), { issuedAt: nowS() + 3600, expiresAt: nowS() + 4000 }),
      await sign(createIdentity(), { issuedAt: nowS() - 900, expiresAt: nowS() - 600 }),
      await sign(createIdentity(), { expiresAt: nowS() + 30 * 24 * 3600 }),
      'a.b.c',
      '.',
    ]
    expect(await outcome(channel, 'member/push', { records: bad })).toEqual([])
    expect(target.membership.entries().length).toBe(known)
    expect(target.membership.entry(victim)).toEqual(entry)

    expect(await outcome(channel, 'member/push', { records: [good] })).toEqual([])
    expect(target.membership.entries().length).toBe(known + 1)
    expect(target.membership.entry(stranger.nodeId)?.state).toBe('suspect') // heard of is not reached
    expect(await outcome(channel, 'member/push', { records: new Array(401).fill('a') })).toBe('PROTOCOL_ERROR')
    expect(await outcome(channel, 'member/cards', { digests: ['x'] })).toBe('PROTOCOL_ERROR')
    expect(await outcome(channel, 'member/status', { status: { seq: -1 } })).toBe('PROTOCOL_ERROR')
    expect(allSee(members)()).toBe(true)
  })

  it('bounds the members a flood of valid records can make it know, and still takes in a real node', async () => {
    const target = await start('target', [])
    const { channel } = await attack(target)
    const records = await Promise.all(Array.from({ length: 300 }, () => sign(createIdentity())))
    for (const part of [records.slice(0, 150), records.slice(150)])
      await outcome(channel, 'member/push', { records: part })
    expect(target.membership.entries().length).toBeLessThanOrEqual(201)
    // Those never reached make room after a minute.
    await pass(62_000)
    const real = await start('real', [target])
    expect(await pass(20_000, () => sees(target, real) && sees(real, target))).toBeLessThan(20_000)
  })

  it.each([
    ['member/sync', { have: [] }],
    ['member/leave', {}],
  ])('serves no more calls of %s to one peer than its share', async (method, body) => {
    const target = await start('target', [])
    const { channel } = await attack(target)
    const codes = new Map<unknown, number>()
    const calls = Array.from({ length: 230 }, async () => {
      const call = channel.call(method, body)
      call.end()
      try {
        for await (const _ of call.parts);
        return 'served'
      } catch (error) {
        return (error as { code: string }).code
      }
    })
    await pass(200)
    for (const code of await Promise.all(calls)) codes.set(code, (codes.get(code) ?? 0) + 1)
    expect(codes.get('OVERLOADED')).toBeGreaterThan(100)
    expect(codes.get('served')).toBeGreaterThan(10)
  })

  it('works with nodes whose clocks differ by some minutes', async () => {
    const first = await start('first')
    const real = clock
    const behind = { ...real, now: () => real.now() - 2 * 60_000 }
    const second = await start('second', [first], {}, behind)
    const ahead = { ...real, now: () => real.now() + 2 * 60_000 }
    const third = await start('third', [first], {}, ahead)
    expect(await pass(3000, allSee([first, second, third]))).toBeLessThan(3000)
  })

  it('is not outdone by a record of its own earlier life with a higher number', async () => {
    const members = await form(2)
    const victim = only(members, 1)
    const { channel } = await attack(only(members, 0))
    const old = await sign(victim.identity, {
      seq: clock.now() + 10 * 365 * 24 * 3600 * 1000,
      addresses: ['/memory/gone/p2p/gone'],
    })
    await outcome(channel, 'member/push', { records: [old] })
    const told = () => only(members, 0).membership.entry(victim.identity.nodeId)?.addresses
    await pass(3000, () => told()?.[0] === victim.network.addresses()[0] && allSee(members)())
    expect(told()).toEqual(victim.network.addresses())
  })
})
