/**
 * Are capabilities still found, and how soon, when half of a network is killed or hangs?
 *
 * Real libp2p nodes (TCP on 127.0.0.1, our DHT), several in each process; each capability has some providers. Asked from
 * processes that live: before, right after SIGKILL of half of the processes, and in a second network after SIGSTOP of
 * half (their sockets stay open and say nothing). Reported: questions answered by a live provider of those that have one,
 * milliseconds to the first live provider, and to the end of the search.
 *
 * Run: npx tsx benchmarks/network/ads.ts [--processes 8] [--nodes 5] [--capabilities 8] [--providers 4]
 * Writes benchmarks/results/network-ads.json.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Ads, createAds, createIdentity, createLibp2pNetwork, createPeerLinks } from '../../src/network/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { silentLogger } from '../../src/utils/logger.ts'
import { createRandom } from '../../src/utils/random.ts'
import { writeResult } from '../support.ts'

interface Node {
  readonly nodeId: string
  readonly ads: Ads
}
interface Found {
  readonly live: number
  readonly firstMs: number | null
  readonly wholeMs: number
}

/** One process of the network: does what it is told. */
async function serve(): Promise<void> {
  const nodes: Node[] = []
  const commands: Record<string, (body: never) => Promise<unknown>> = {
    async start({ count, bootstrap }: { count: number; bootstrap: readonly string[] }) {
      const addresses: string[] = []
      for (let index = 0; index < count; index++) {
        const identity = createIdentity()
        const components = { identity, clock: systemClock, logger: silentLogger }
        const network = createLibp2pNetwork(components, { listen: ['/ip4/127.0.0.1/tcp/0'], dht: true })
        await network.start()
        const links = createPeerLinks({ ...components, network }, { eager: false })
        const random = createRandom(identity.nodeId)
        const { router } = network
        const ads = createAds({ ...components, links, router, random, addresses: () => network.addresses() })
        for (const address of [...bootstrap, ...addresses].slice(0, 2))
          while (!(await network.dial(address).catch(() => undefined))); // a starved machine needs several attempts
        nodes.push({ nodeId: identity.nodeId, ads })
        addresses.push(...network.addresses())
      }
      return { addresses, ids: nodes.map(({ nodeId }) => nodeId) }
    },
    async offer({ index, capability }: { index: number; capability: string }) {
      const node = nodes[index]
      return { taken: await node?.ads.offer({ capabilities: [capability], load: 0 }), nodeId: node?.nodeId }
    },
    async find({ index, capability, live }: { index: number; capability: string; live: readonly string[] }) {
      const begin = performance.now()
      let firstMs: number | null = null
      const seen = new Set<string>()
      for await (const { ad } of nodes[index]?.ads.find(capability) ?? []) {
        if (!live.includes(ad.node)) continue
        firstMs ??= performance.now() - begin
        seen.add(ad.node)
      }
      return { live: seen.size, firstMs, wholeMs: performance.now() - begin } satisfies Found
    },
  }
  process.on('message', ({ id, command, body }: { id: number; command: string; body: never }) => {
    const answer = commands[command]?.(body) ?? Promise.reject(new Error(`no command ${command}`))
    answer.then(
      result => process.send?.({ id, result }),
      error => process.send?.({ id, error: String(error) }),
    )
  })
  process.once('disconnect', () => process.exit(0))
}

interface Process {
  readonly child: ChildProcess
  ids: readonly string[]
  ask<T>(command: string, body: object): Promise<T>
}

function spawn(): Process {
  const child = fork(fileURLToPath(import.meta.url), ['--serve'], { execArgv: process.execArgv })
  let last = 0
  return {
    child,
    ids: [],
    async ask<T>(command: string, body: object): Promise<T> {
      const id = ++last
      child.send({ id, command, body })
      for (;;) {
        const [message] = (await once(child, 'message')) as [{ id: number; result?: T; error?: string }]
        if (message.id !== id) continue
        if (message.error !== undefined) throw new Error(message.error)
        return message.result as T
      }
    },
  }
}

interface Size {
  readonly processes: number
  readonly nodes: number
  readonly capabilities: number
  readonly providers: number
}

async function run(size: Size, strike: 'SIGKILL' | 'SIGSTOP'): Promise<object> {
  const processes = Array.from({ length: size.processes }, spawn)
  try {
    const bootstrap: string[] = []
    for (const each of processes) {
      const { addresses, ids } = await each.ask<{ addresses: string[]; ids: string[] }>('start', {
        count: size.nodes,
        bootstrap,
      })
      each.ids = ids
      bootstrap.push(...addresses)
    }
    const random = createRandom(strike)
    const providersOf = new Map<string, string[]>()
    for (let index = 0; index < size.capabilities; index++) {
      const capability = `skill:field-${index}`
      providersOf.set(capability, [])
      for (let turn = 0; turn < size.providers; turn++) {
        // A node offers one capability: each is given to the nodes in turn.
        const place = index * size.providers + turn
        const each = processes[place % size.processes]
        const at = Math.floor(place / size.processes) % size.nodes
        const { nodeId } = (await each?.ask<{ nodeId: string }>('offer', { index: at, capability })) ?? {}
        if (nodeId !== undefined) providersOf.get(capability)?.push(nodeId)
      }
    }
    const before = await search(processes, providersOf, size, random)
    const struck = processes.filter((_, index) => index % 2 === 1)
    for (const { child } of struck) child.kill(strike)
    const alive = processes.filter((_, index) => index % 2 === 0)
    const after = await search(alive, providersOf, size, random)
    return { strike, network: size.processes * size.nodes, before, after }
  } finally {
    for (const { child } of processes) child.kill('SIGKILL')
  }
}

/** Each capability is asked for at one node of each process that lives. */
async function search(
  alive: readonly Process[],
  providersOf: ReadonlyMap<string, readonly string[]>,
  size: Size,
  random: { next(): number },
): Promise<object> {
  const living = new Set(alive.flatMap(({ ids }) => ids))
  const found: Found[] = []
  let expected = 0
  for (const [capability, providers] of providersOf) {
    const live = providers.filter(provider => living.has(provider))
    for (const each of alive) {
      const index = Math.floor(random.next() * size.nodes)
      const asker = each.ids[index]
      if (live.every(provider => provider === asker)) continue
      expected++
      found.push(await each.ask<Found>('find', { index, capability, live }))
    }
  }
  const firsts = found
    .flatMap(({ firstMs }) => (firstMs === null ? [] : [Math.round(firstMs)]))
    .toSorted((a, b) => a - b)
  const wholes = found.map(({ wholeMs }) => Math.round(wholeMs)).toSorted((a, b) => a - b)
  const at = (values: readonly number[], share: number) => values[Math.floor((values.length - 1) * share)]
  return {
    questions: expected,
    answered: firsts.length,
    firstMs: { median: at(firsts, 0.5), p95: at(firsts, 0.95) },
    wholeMs: { median: at(wholes, 0.5), p95: at(wholes, 0.95) },
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      processes: { type: 'string', default: '8' },
      nodes: { type: 'string', default: '5' },
      capabilities: { type: 'string', default: '8' },
      providers: { type: 'string', default: '4' },
      serve: { type: 'boolean', default: false },
    },
  })
  if (values.serve) return serve()
  const size = {
    processes: Number(values.processes),
    nodes: Number(values.nodes),
    capabilities: Number(values.capabilities),
    providers: Number(values.providers),
  }
  const results = [await run(size, 'SIGKILL'), await run(size, 'SIGSTOP')]
  console.log(JSON.stringify(results, null, 2))
  writeResult('network-ads', { question: 'are capabilities found with half of the nodes gone?', ...size, results })
}

await main()
