/**
 * Does a network of many nodes stay quick, quiet and right? The product's own membership, gossip, directory, ads,
 * matching and failover over the in-memory network and a manual clock; only the DHT's routing is a model.
 *
 * members: full membership, every node knows every other (at most 200 by design).
 * ads: nodes that find each other through capability ads.
 * routing: the routing model alone, to a million nodes.
 *
 * Run: npx tsx benchmarks/simulation/run.ts [--members 10,25,50] [--ads 20,100,1000] [--routing 1000,1000000]
 * Each size runs in a process of its own; results/simulation.json is written after each and keeps the other sizes.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { writeResult } from '../support.ts'
import { simulateCapabilityAds } from './capability-ads.ts'
import { round } from './figures.ts'
import { simulateMembers } from './members.ts'
import { simulateRouting } from './routing-model.ts'

const PARTS = {
  members: (nodes: number) => simulateMembers({ nodes }),
  ads: (nodes: number) => simulateCapabilityAds({ nodes, churnS: nodes > 1000 ? 60 : 90 }),
  routing: async (nodes: number) => ({
    nodes,
    allAlive: await simulateRouting({ nodes, dead: 0 }),
    someDead: await simulateRouting({ nodes, dead: 0.3 }),
  }),
} as const
type Part = keyof typeof PARTS
const isPart = (name: string): name is Part => name in PARTS

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      members: { type: 'string', default: '10,25,50,100' },
      ads: { type: 'string', default: '20,100,1000,10000' },
      routing: { type: 'string', default: '100,1000,10000,100000,1000000' },
      only: { type: 'string' },
      nodes: { type: 'string', default: '0' },
    },
  })
  const { only, nodes } = values
  if (only !== undefined && isPart(only)) {
    const result = await PARTS[only](Number(nodes))
    const { user, system } = process.cpuUsage()
    const processor = { processorS: round((user + system) / 1e6, 1), wallS: round(performance.now() / 1000, 1) }
    process.stdout.write(JSON.stringify({ ...result, ...processor }))
    return
  }
  const results = readResults()
  for (const part of ['routing', 'members', 'ads'] as const)
    for (const size of values[part].split(',').filter(Boolean).map(Number)) {
      const found = await inChild(part, size)
      console.log(part, JSON.stringify(found, null, 1))
      const others = (results[part] ?? []).filter(known => known.nodes !== size)
      results[part] = [...others, found].toSorted((a, b) => a.nodes - b.nodes)
      writeResult('simulation', { question: 'does a network of many nodes stay quick, quiet and right?', ...results })
    }
}

interface Sized {
  readonly nodes: number
}

async function inChild(part: Part, nodes: number): Promise<Sized> {
  const args = [...process.execArgv, '--max-old-space-size=12000', fileURLToPath(import.meta.url)]
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--only', part, '--nodes', `${nodes}`], {
    maxBuffer: 1e7,
  })
  return JSON.parse(stdout) // written by the lines above
}

function readResults(): Partial<Record<Part, Sized[]>> {
  const file = new URL('../results/simulation.json', import.meta.url)
  if (!existsSync(file)) return {}
  const { routing, members, ads } = JSON.parse(readFileSync(file, 'utf8')) // of an earlier run of this file
  return { ...(routing && { routing }), ...(members && { members }), ...(ads && { ads }) }
}

await main()
