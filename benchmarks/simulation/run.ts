/**
 * Does a network of many nodes stay quick, quiet and right? The product's own membership, gossip, directory, ads,
 * matching and failover over the in-memory network and a manual clock; only the DHT's routing is a model, which is held
 * against libp2p's own in the same run. Signatures are real; one that was checked once in the process is remembered.
 *
 * comparison: the routing model beside real nodes with libp2p's kad-dht.
 * members: full membership, every node knows every other (at most 200 by design).
 * ads: nodes that find each other through capability ads.
 * routing: the routing model alone, to a million nodes.
 *
 * Run: npx tsx benchmarks/simulation/run.ts [--comparison 24,40] [--members 10,30] [--ads 100,1000] [--routing 1000000]
 * An empty list leaves a part out. Each size runs in a process of its own; results/simulation.json is written after each
 * and keeps the other sizes. All of it takes about an hour of one core.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { writeResult } from '../support.ts'
import { simulateCapabilityAds } from './capability-ads.ts'
import { round } from './figures.ts'
import { compareWithKad } from './kad-comparison.ts'
import { simulateMembers } from './members.ts'
import { simulateRouting } from './routing-model.ts'
import { KAD_DEFAULTS, PRODUCT_ROUTING } from './xor-router.ts'

const PARTS = {
  members: (nodes: number) => simulateMembers({ nodes }),
  ads: (nodes: number) => simulateCapabilityAds({ nodes, churnS: nodes > 1000 ? 60 : 90 }),
  comparison: async (nodes: number) => ({
    nodes,
    product: await compareWithKad({ nodes }),
    // With so small a k the lookups take the steps of a large network.
    fewEntries: await compareWithKad({ nodes, parameters: { k: 4, alpha: 3, paths: 2, prefixLength: 8 } }),
  }),
  routing: async (nodes: number) => ({
    nodes,
    log2Nodes: round(Math.log2(nodes)),
    allAlive: await simulateRouting({ nodes, dead: 0 }),
    halfDead: await simulateRouting({ nodes, dead: 0.5 }),
    withDefaultsOfKadDht: await simulateRouting({ nodes, dead: 0, parameters: KAD_DEFAULTS, lookups: 20 }),
    withPrefixOf12Bits: await simulateRouting({ nodes, dead: 0, parameters: { ...PRODUCT_ROUTING, prefixLength: 12 } }),
  }),
} as const
type Part = keyof typeof PARTS
const isPart = (name: string): name is Part => name in PARTS

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      comparison: { type: 'string', default: '24,40' },
      members: { type: 'string', default: '10,30,100,200' },
      ads: { type: 'string', default: '100,1000,10000' },
      routing: { type: 'string', default: '100,1000,10000,100000,1000000' },
      only: { type: 'string' },
      nodes: { type: 'string', default: '0' },
    },
  })
  const { only, nodes } = values
  if (only !== undefined && isPart(only)) {
    Error.stackTraceLimit = 0 // a cancelled call is an error, and nobody reads where it was made
    const result = await PARTS[only](Number(nodes))
    const { user, system } = process.cpuUsage()
    const processor = { processorS: round((user + system) / 1e6, 1), wallS: round(performance.now() / 1000, 1) }
    process.stdout.write(JSON.stringify({ ...result, ...processor }), () => process.exit())
    return
  }
  for (const part of ['comparison', 'members', 'ads', 'routing'] as const)
    for (const size of values[part].split(',').filter(Boolean).map(Number)) {
      const found = await inChild(part, size)
      console.log(part, JSON.stringify(found, null, 1))
      const results = readResults() // now: another size may have come to its end beside this one
      const others = (results[part] ?? []).filter(known => known.nodes !== size)
      results[part] = [...others, found].toSorted((a, b) => a.nodes - b.nodes)
      writeResult('simulation', { question: 'does a network of many nodes stay quick, quiet and right?', ...results })
    }
}

interface Sized {
  readonly nodes: number
}

async function inChild(part: Part, nodes: number): Promise<Sized> {
  // A young generation that holds a step of all nodes: otherwise what lives for one message is copied again and again.
  const memory = ['--max-old-space-size=12000', '--max-semi-space-size=128']
  const args = [...process.execArgv, ...memory, fileURLToPath(import.meta.url)]
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--only', part, '--nodes', `${nodes}`], {
    maxBuffer: 1e7,
  })
  return JSON.parse(stdout) // written by the lines above
}

function readResults(): Partial<Record<Part, Sized[]>> {
  const file = new URL('../results/simulation.json', import.meta.url)
  if (!existsSync(file)) return {}
  const { comparison, members, ads, routing } = JSON.parse(readFileSync(file, 'utf8')) // of an earlier run of this file
  return {
    ...(comparison && { comparison }),
    ...(members && { members }),
    ...(ads && { ads }),
    ...(routing && { routing }),
  }
}

await main()
