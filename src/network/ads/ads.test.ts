import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { type CapabilityAd, DOCUMENT_TYPES, signDocument } from '../../protocol/index.ts'
import { createManualClock, type ManualClock } from '../../testing/manual-clock.ts'
import { silentLogger } from '../../utils/logger.ts'
import { createRandom } from '../../utils/random.ts'
import { createIdentity, type Identity } from '../identity.ts'
import type { Network } from '../network.ts'
import { createMemoryHub, type MemoryHub } from '../networks/memory.ts'
import { createPeerLinks, type PeerLinks } from '../peer-links.ts'
import type { PeerRouter } from '../peer-router.ts'
import { toAdKey } from './ad-key.ts'
import { type Ads, type AdsOptions, createAds } from './ads.ts'

interface Node {
  readonly identity: Identity
  readonly network: Network
  readonly links: PeerLinks
  readonly ads: Ads
}

const SKILL = 'skill:arithmetic'
let clock: ManualClock
let hub: MemoryHub
let world: string[]
let lookups = 0
/** Lookups tell whom they met on the way, and fail. */
let isBroken = false
/** Lookups meet all others on the way, the farthest first. */
let isFar = false
/** What identities are made of: others fall to other shards. */
let names = 'node'
const nodes: Node[] = []

const hash = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest()

/** Routes exactly: what the DHT finds with some effort is known here. */
const router: PeerRouter = {
  async *find(key) {
    lookups++
    const target = hash(key)
    const distance = (peer: string): string =>
      hash(peer)
        .map((byte, index) => byte ^ (target[index] ?? 0))
        .toString()
    const sorted = world.map(peer => ({ peer, at: Buffer.from(distance(peer)).toString('hex') }))
    const nearest = sorted.toSorted((a, b) => (a.at < b.at ? -1 : 1))
    if (isFar) for (const { peer } of nearest.slice(20).reverse()) yield { peer, kind: 'near' }
    for (const { peer } of nearest.slice(0, 20)) yield { peer, kind: isBroken ? 'near' : 'closest' }
    if (isBroken) throw new Error('the lookup was aborted')
  },
}

async function start(options: AdsOptions = {}): Promise<Node> {
  const identity = createIdentity(hash(`${names} ${nodes.length}`)) // or where ads fall would be chance
  const network = hub.createNetwork({ identity })
  await network.start()
  const components = { network, clock, logger: silentLogger }
  const links = createPeerLinks(components)
  const address = (peer: string): string[] => [`/memory/${peer}/p2p/${peer}`]
  for (const peer of world) network.learn(peer, address(peer))
  for (const node of nodes) node.network.learn(identity.nodeId, address(identity.nodeId))
  world.push(identity.nodeId)
  const random = createRandom(identity.nodeId)
  const ads = createAds(
    { ...components, links, identity, router, random, addresses: () => network.addresses() },
    options,
  )
  const node = { identity, network, links, ads }
  nodes.push(node)
  return node
}

/** Lets time pass in steps, since signatures are checked on other threads. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await clock.advance(500)
    // signatures are checked by other threads, which a busy machine lets wait while the clock goes on
    await new Promise(resolve => setTimeout(resolve, 4))
  }
}

async function startMany(count: number, options: AdsOptions = {}): Promise<Node[]> {
  const started = []
  for (let index = 0; index < count; index++) started.push(await start(options))
  return started
}

const only = (started: readonly Node[], index: number): Node => {
  const node = started[index]
  if (!node) throw new Error(`no node ${index}`)
  return node
}

async function found(
  node: Node,
  capability = SKILL,
  options: Parameters<Ads['find']>[1] = {},
): Promise<CapabilityAd[]> {
  const ads: CapabilityAd[] = []
  for await (const { ad } of node.ads.find(capability, options)) ads.push(ad)
  return ads
}
const offer = (load = 0) => ({ capabilities: [SKILL, 'model:test/arithmetic'], load })

describe('capability ads', () => {
  const begin = (): void => {
    clock = createManualClock()
    hub = createMemoryHub({ clock })
    world = []
  }
  begin()
  afterEach(async () => {
    await Promise.all(
      nodes.splice(0).map(async ({ ads, links, network }) => {
        await ads.close()
        await links.close()
        await network.close()
      }),
    )
    isBroken = false
    isFar = false
    names = 'node'
    begin()
  })

  it('are found by any node, with filter and limit', async () => {
    const started = await startMany(30)
    for (let index = 0; index < 5; index++)
      expect(await only(started, index).ads.offer(offer(index))).toBeGreaterThan(10)
    const searcher = only(started, 29)
    const providers = started.slice(0, 5).map(node => node.identity.nodeId)
    expect((await found(searcher)).map(ad => ad.node).toSorted()).toEqual(providers.toSorted())
    expect((await found(searcher, 'model:test/arithmetic')).length).toBe(5)
    expect((await found(searcher, SKILL, { filter: { maxLoad: 1 } })).map(ad => ad.load).toSorted()).toEqual([0, 1])
    expect((await found(searcher, SKILL, { limit: 2 })).length).toBe(2)
    expect(await found(searcher, 'skill:unheard-of')).toEqual([])
    expect((await found(only(started, 0))).length).toBe(4) // all but itself
  })

  it('survive the death of half of the nodes', async () => {
    const started = await startMany(40)
    for (const index of [0, 1, 2, 3]) await only(started, index).ads.offer(offer())
    for (const node of started.slice(2, 4)) hub.kill(node.identity.nodeId)
    for (const node of started.slice(20, 38)) hub.kill(node.identity.nodeId)
    const nodesFound = (await found(only(started, 39))).map(ad => ad.node)
    expect(nodesFound).toEqual(expect.arrayContaining(started.slice(0, 2).map(node => node.identity.nodeId)))
  })

  it('are gone at once after a goodbye, and within their life after a death', async () => {
    const started = await startMany(10)
    for (const index of [0, 1]) await only(started, index).ads.offer(offer())
    const searcher = only(started, 9)
    expect((await found(searcher)).length).toBe(2)
    await only(started, 0).ads.close()
    expect((await found(searcher)).map(ad => ad.node)).toEqual([only(started, 1).identity.nodeId])
    hub.kill(only(started, 1).identity.nodeId)
    await clock.advance(121_000)
    expect(await found(searcher)).toEqual([])
  })

  it('are refreshed while the node lives', async () => {
    const started = await startMany(5)
    await only(started, 0).ads.offer(offer())
    for (let passed = 0; passed < 5 * 60_000; passed += 500) {
      await clock.advance(500)
      for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
      await new Promise(resolve => setTimeout(resolve, 1)) // signatures are checked on other threads
    }
    expect((await found(only(started, 4))).length).toBe(1)
  })

  it('spread over deeper shards when a capability has more offers than one holds', async () => {
    const started = await startMany(25, { adsPerKey: 4 })
    for (const node of started.slice(0, 16)) await node.ads.offer({ capabilities: [SKILL], load: 0 })
    const most = Math.max(...started.map(node => node.ads.held()))
    expect(most).toBeLessThanOrEqual(4 * 7) // levels 0 to 2 hold 1, 2 and 4 shards
    const seen = new Set<string>()
    for (let turn = 0; turn < 20; turn++) for (const ad of await found(only(started, 24))) seen.add(ad.node)
    expect(seen.size).toBe(16)
  })

  it.each(['one', 'another', 'a third'])(
    'are all found by one search, however they fall to the shards: %s',
    async name => {
      names = name
      const started = await startMany(30, { adsPerKey: 3 })
      for (const node of started.slice(0, 20)) await node.ads.offer({ capabilities: [SKILL], load: 0 })
      const searcher = only(started, 29)
      for (let turn = 0; turn < 4; turn++) expect((await found(searcher)).length).toBe(20)
    },
  )

  it('stand where they were put until their holders go: a refresh needs no lookup', async () => {
    const started = await startMany(30)
    const provider = only(started, 0)
    await provider.ads.offer({ capabilities: [SKILL], load: 0 })
    lookups = 0
    await pass(150_000)
    expect(lookups).toBe(0)
    expect((await found(only(started, 29))).length).toBe(1)
    lookups = 0
    for (const node of started.slice(1, 15)) hub.kill(node.identity.nodeId)
    world = world.filter(peer => !started.slice(1, 15).some(node => node.identity.nodeId === peer))
    await pass(60_000)
    expect(lookups).toBeGreaterThan(0)
    expect((await found(only(started, 29))).length).toBe(1)
  })

  it('are put at those that answered when the end of a lookup does not come, and refreshed all the same', async () => {
    const started = await startMany(10)
    const provider = only(started, 0)
    isBroken = true
    expect(await provider.ads.offer({ capabilities: [SKILL], load: 0 })).toBeGreaterThan(5)
    lookups = 0
    await pass(60_000)
    expect(lookups).toBeGreaterThan(0)
    isBroken = false
    expect((await found(only(started, 9))).length).toBe(1)
  })

  it('of a capability that all use are searched for at all its shards alike', async () => {
    const started = await startMany(25, { adsPerKey: 4 })
    for (const node of started.slice(0, 16)) await node.ads.offer({ capabilities: [SKILL], load: 0 })
    const searcher = only(started, 24)
    for (let turn = 0; turn < 5; turn++) await found(searcher)
    const seen = new Set<string>()
    for (let turn = 0; turn < 30; turn++) for (const ad of await found(searcher, SKILL, { limit: 2 })) seen.add(ad.node)
    expect(seen.size).toBeGreaterThan(6) // level 0 alone holds 4
  })

  it('are found at the closest, however many are met on the way to them', async () => {
    const started = await startMany(75)
    isFar = true
    const met: string[] = []
    for await (const { peer } of router.find(toAdKey(SKILL, { level: 0, index: 0 }))) met.push(peer)
    const [farthest, closest] = [met[0], met.at(-1)].map(peer => started.find(each => each.identity.nodeId === peer))
    await closest?.ads.offer(offer()) // itself one of those that hold it
    expect(farthest && (await found(farthest)).length).toBe(1)
    // Nor does a node that offers the same, and has its own ad, take those on the way for holders that agree.
    await farthest?.ads.offer(offer())
    expect(farthest && (await found(farthest)).map(({ node }) => node)).toEqual([closest?.identity.nodeId])
  })

  it('that are tampered with, replayed, too long-lived or of another are refused by holders', async () => {
    const [holder, attacker] = [await start(), await start()]
    const channel = await attacker.links.channel(holder.identity.nodeId)
    const identity = createIdentity(hash(`node ${nodes.length}`)) // or where ads fall would be chance
    const nowS = Math.floor(clock.now() / 1000)
    const base: CapabilityAd = {
      version: 1,
      node: identity.nodeId,
      seq: 5,
      capabilities: [SKILL],
      load: 0,
      issuedAt: nowS,
      expiresAt: nowS + 120,
    }
    const sign = async (change: Partial<CapabilityAd> = {}, signer = identity): Promise<string> =>
      (await signDocument({ ...base, ...change }, DOCUMENT_TYPES.ad, signer)).jws
    const put = async (ad: string, capability = SKILL): Promise<unknown> => {
      const parts: unknown[] = []
      try {
        for await (const part of channel.call('ad/put', { capability, level: 0, ad }).parts) parts.push(part)
      } catch (error) {
        return (error as { code: string }).code
      }
      return (parts[0] as { verdict: string }).verdict
    }
    const good = await sign()
    const [header, payload, signature] = good.split('.')
    const tampered = Buffer.from(
      Buffer.from(payload ?? '', 'base64url')
        .toString()
        .replace('"load":0', '"load":1'),
    )
    expect(await put(`${header}.${tampered.toString('base64url')}.${signature}`)).toBe('INVALID_SIGNATURE')
    expect(await put(await sign({}, attacker.identity))).toBe('INVALID_SIGNATURE')
    expect(await put(await sign({ expiresAt: nowS + 3600 }))).toBe('INVALID_SIGNATURE')
    expect(await put(await sign({ issuedAt: nowS - 500, expiresAt: nowS - 400 }))).toBe('INVALID_SIGNATURE')
    expect(await put(good, 'skill:not-named')).toBe('refused')
    expect(await put(good, 'not a tag')).toBe('PROTOCOL_ERROR')
    expect(await put(good)).toBe('stored')
    expect(await put(await sign({ seq: 6, load: 2 }))).toBe('stored')
    expect(await put(good)).toBe('stale')
    expect((await found(attacker)).map(ad => ad.load)).toEqual([2])
    const flood = await Promise.all(Array.from({ length: 300 }, () => put(good)))
    expect(flood.filter(verdict => verdict === 'OVERLOADED').length).toBeGreaterThan(80)
  })

  it('of a holder that lies are not believed', async () => {
    const [liar, searcher, honest] = [await start(), await start(), await start()]
    await honest.ads.offer({ capabilities: ['skill:other'], load: 0 })
    const other = await found(searcher, 'skill:other')
    expect(other.length).toBe(1)
    const jws = await signDocument(other[0], DOCUMENT_TYPES.ad, liar.identity)
    liar.links.serve({
      async *'ad/get'() {
        yield { ads: [jws.jws, 'a.b.c'], full: true }
      },
    })
    expect(await found(searcher)).toEqual([])
  })
})
