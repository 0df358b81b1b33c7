import { createOffers } from '../../src/application/offers.ts'
import {
  type AdDirectory,
  type Ads,
  createAdDirectory,
  createAds,
  createIdentity,
  createMembership,
  createPeerLinks,
  type Directory,
  type Identity,
  type Membership,
  type MemoryHub,
} from '../../src/network/index.ts'
import { createAdmission, createModelHandlers, createRemoteModel, withAdmission } from '../../src/resource/index.ts'
import {
  createCallRecord,
  createCapabilityMap,
  createCircuitBreakers,
  createFailoverModel,
  createMatcher,
} from '../../src/service/index.ts'
import { createScriptedModel, type ManualClock } from '../../src/testing/index.ts'
import { toModelNetError } from '../../src/utils/errors.ts'
import { silentLogger } from '../../src/utils/logger.ts'
import { createRandom } from '../../src/utils/random.ts'
import { countCalls, countFrames, countSent, type Traffic } from './traffic.ts'
import type { RoutingCost, XorWorld } from './xor-router.ts'

export interface SimulatedWorld {
  readonly clock: ManualClock
  readonly hub: MemoryHub
  /** Counts what all nodes send. */
  readonly traffic: Traffic
  /** Present where nodes are found through capability ads. */
  readonly routing?: XorWorld
}

export interface Outcome {
  readonly code: string
  /** Simulated. */
  readonly ms: number
}

/** A node put together from the product's parts, over the in-memory network. */
export interface SimulatedNode {
  readonly nodeId: string
  readonly identity: Identity
  /** Tag of the model it offers. */
  readonly skill: string
  /** Absent at a node that keeps no partners. */
  readonly membership?: Membership
  readonly ads?: Ads
  readonly adDirectory?: AdDirectory
  readonly routing: RoutingCost
  /** Calls to others, by method. */
  readonly sent: ReadonlyMap<string, number>
  /** Calls a model of the skill that the matcher chooses, with failover. */
  ask(skill: string): Promise<Outcome>
  /** Gone without a word. */
  kill(): Promise<void>
  /** Gone in good order. */
  leave(): Promise<void>
}

/** An answer of ten tokens takes 200 ms. */
const ANSWER = 'one two three four five six seven eight nine ten'
const TOKEN_MS = 20

const NOBODY: Directory = { entries: () => [], entry: () => undefined, onChange: () => () => undefined }

export const skillOf = (index: number, skills: number): string => `skill:field-${index % skills}`

export const seededIdentity = (name: string): Identity => {
  const random = createRandom(name)
  return createIdentity(Uint8Array.from({ length: 32 }, () => Math.floor(random.next() * 256)))
}

export interface NodeOptions {
  readonly identity: Identity
  readonly skill: string
  readonly bootstrap?: readonly string[]
  /** Knows others and lets itself be known: membership, or partners in a large network. @default true */
  readonly isPartner?: boolean
}

export async function startNode(world: SimulatedWorld, options: NodeOptions): Promise<SimulatedNode> {
  const { clock, hub, traffic } = world
  const { identity, skill, bootstrap = [], isPartner = true } = options
  const { nodeId } = identity
  const random = createRandom(nodeId)
  const sent = new Map<string, number>()
  const raw = hub.createNetwork({ identity })
  await raw.start()
  const network = countFrames(raw, traffic)
  const isSmall = world.routing === undefined
  const components = { identity, network, clock, random, logger: silentLogger }
  const bare = createPeerLinks(components, { eager: isSmall })
  const links = countSent(countCalls(bare, traffic), sent)
  const issuedAt = Math.floor(clock.now() / 1000)
  const model = createScriptedModel({
    id: `simulated/${skill.slice('skill:'.length)}`,
    node: nodeId,
    clock,
    answer: ANSWER,
    partDelayMs: TOKEN_MS,
    firstDelayMs: TOKEN_MS,
    card: { tags: [skill], capabilities: ['generate'], concurrency: 2, issuedAt, expiresAt: issuedAt + 24 * 3600 },
  })
  const admission = createAdmission({ clock })
  links.serve(createModelHandlers(() => [model], { admission, clock }))
  const membership = isPartner
    ? await createMembership(
        { ...components, links },
        { bootstrap, cards: [model.card], scope: isSmall ? 'all' : 'partners' },
      )
    : undefined
  const cost: RoutingCost = { queries: 0, lost: 0, lookups: 0 }
  world.routing?.join(nodeId)
  const router = world.routing?.routerOf(nodeId, cost)
  const ads = router && createAds({ ...components, links, router, addresses: () => network.addresses() })
  const adDirectory = ads && membership && createAdDirectory({ ads, partners: membership, clock, logger: silentLogger })

  const abilities = createCapabilityMap({ clock })
  const breakers = createCircuitBreakers({ clock })
  const calls = createCallRecord({ clock })
  const offers = createOffers({
    directory: membership ?? NOBODY,
    local: [withAdmission(model, admission, 'local')],
    remote: card => createRemoteModel({ card, channel: () => links.channel(card.node), clock }),
  })
  const matcher = createMatcher({ offers, abilities, breakers, calls })

  const stop = async (): Promise<void> => {
    world.routing?.leave(nodeId)
    await membership?.close()
    await (adDirectory ?? ads)?.close()
    await links.close()
    await raw.close()
  }
  return {
    nodeId,
    identity,
    skill,
    ...(membership && { membership }),
    routing: cost,
    sent,
    ...(ads && { ads }),
    ...(adDirectory && { adDirectory }),
    async ask(wanted) {
      const start = clock.monotonic()
      try {
        // A peer's card is a claim of the tag: described once it is known, as a node does on every change.
        for (const { cards } of membership?.entries() ?? []) for (const card of cards) abilities.describe(card)
        const candidates = matcher.candidates({ kind: 'tag', tag: wanted }, [])
        const chosen = createFailoverModel(candidates, { clock, breakers, calls })
        let text = ''
        for await (const part of chosen.generate(
          { messages: [{ role: 'user', content: 'how many?' }] },
          { deadlineMs: 30_000 },
        ))
          if (part.type === 'text-delta') text += part.text
        return { code: text === ANSWER ? 'OK' : 'WRONG_TEXT', ms: clock.monotonic() - start }
      } catch (error) {
        return { code: toModelNetError(error).code, ms: clock.monotonic() - start }
      }
    },
    async kill() {
      world.routing?.leave(nodeId)
      hub.kill(nodeId)
      await stop()
    },
    async leave() {
      membership?.drain()
      await (adDirectory ?? ads)?.close()
      await stop()
    },
  }
}
