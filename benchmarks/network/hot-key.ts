/**
 * How soon does a holder answer about a capability that 10,000 nodes offer under one key, and with how much?
 *
 * Two real libp2p nodes over TCP on 127.0.0.1. The holder keeps 10,000 signed ads under one key, twenty times what it
 * keeps by default before it sends providers on to deeper shards; the searcher asks it as a search does, and checks every
 * signature of the answer. Beside it the same with as many as it keeps by default, and the time to check ads alone.
 *
 * Run: npx tsx benchmarks/network/hot-key.ts [ads] [questions]
 */
import { AD_METHODS, createAdHolder, GetAnswerSchema } from '../../src/network/ads/ad-holder.ts'
import { ask } from '../../src/network/exchange.ts'
import {
  createIdentity,
  createLibp2pNetwork,
  createPeerLinks,
  type Network,
  type PeerLinks,
} from '../../src/network/index.ts'
import { type CapabilityAd, createVerifier, DOCUMENT_TYPES, signDocument } from '../../src/protocol/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { silentLogger } from '../../src/utils/logger.ts'
import { createRandom } from '../../src/utils/random.ts'
import { median, writeResult } from '../support.ts'

const SKILL = 'skill:everyone'
const DEFAULT_PER_KEY = 500

interface Host {
  readonly nodeId: string
  readonly network: Network
  readonly links: PeerLinks
  close(): Promise<void>
}

async function startHost(): Promise<Host> {
  const identity = createIdentity()
  const components = { identity, clock: systemClock, logger: silentLogger }
  const network = createLibp2pNetwork(components, { listen: ['/ip4/127.0.0.1/tcp/0'] })
  await network.start()
  const links = createPeerLinks({ ...components, network })
  const close = async (): Promise<void> => {
    await links.close()
    await network.close()
  }
  return { nodeId: identity.nodeId, network, links, close }
}

async function signedAd(): Promise<{ readonly ad: CapabilityAd; readonly jws: string }> {
  const identity = createIdentity()
  const issuedAt = Math.floor(Date.now() / 1000)
  const ad: CapabilityAd = {
    version: 1,
    node: identity.nodeId,
    seq: Date.now(),
    capabilities: [SKILL],
    load: 0,
    addresses: [`/ip4/203.0.113.7/tcp/4001/p2p/${identity.nodeId}`],
    issuedAt,
    expiresAt: issuedAt + 600,
  }
  return { ad, jws: (await signDocument(ad, DOCUMENT_TYPES.ad, identity)).jws }
}

const at = (sorted: readonly number[], share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN
const figures = (ms: readonly number[]): object => {
  const sorted = ms.toSorted((a, b) => a - b)
  const round = (value: number): number => Number(value.toFixed(2))
  return {
    median: round(median(sorted)),
    p95: round(at(sorted, 0.95)),
    p99: round(at(sorted, 0.99)),
    most: round(at(sorted, 1)),
  }
}

async function measure(
  ads: readonly { readonly ad: CapabilityAd; readonly jws: string }[],
  questions: number,
): Promise<object> {
  const [holding, searching] = [await startHost(), await startHost()]
  try {
    const verifier = createVerifier({ clock: systemClock })
    const holder = createAdHolder(
      { verifier, clock: systemClock, random: createRandom('holder') },
      { adsPerKey: ads.length },
    )
    for (const signed of ads) holder.put(SKILL, 0, signed)
    holding.links.serve(holder.handlers)
    await searching.links.channel(holding.nodeId).catch(() => undefined)
    searching.network.learn(holding.nodeId, holding.network.addresses())
    const channel = await searching.links.channel(holding.nodeId)
    const [answered, checked, counts, bytes]: [number[], number[], number[], number[]] = [[], [], [], []]
    for (let turn = 0; turn < questions; turn++) {
      const began = performance.now()
      const body = { capability: SKILL, level: 0, index: 0, filter: {} }
      for await (const answer of ask(channel, AD_METHODS.get, body, GetAnswerSchema)) {
        answered.push(performance.now() - began)
        // A verifier of its own for each question: what was checked before would not be checked again.
        const fresh = createVerifier({ clock: systemClock })
        for (const jws of answer.ads) await fresh.verifyAd(jws)
        checked.push(performance.now() - began)
        counts.push(answer.ads.length)
        bytes.push(answer.ads.reduce((sum, jws) => sum + jws.length, 0))
      }
      await systemClock.sleep(60) // below what one peer may ask in a second
    }
    return {
      held: holder.size(),
      questions,
      mostAdsInAnAnswer: Math.max(...counts),
      medianBytes: median(bytes),
      answerMs: figures(answered),
      answerAndSignaturesMs: figures(checked),
    }
  } finally {
    await searching.close()
    await holding.close()
  }
}

const [count = 10_000, questions = 200] = process.argv.slice(2).map(Number)
const ads = []
for (let index = 0; index < count; index++) ads.push(await signedAd())
const results = [await measure(ads, questions), await measure(ads.slice(0, DEFAULT_PER_KEY), questions)]
console.log(JSON.stringify(results, null, 2))
writeResult('network-hot-key', {
  question: 'how soon does a holder answer about a capability that all offer?',
  results,
})
