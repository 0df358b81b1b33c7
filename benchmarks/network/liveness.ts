/**
 * How soon does a network of processes see that a node has joined, was killed, has come back, or hangs?
 *
 * Each node is a process of its own (libp2p over TCP on 127.0.0.1, one card each). A round starts one more node, waits
 * until all others show it alive with its card, then kills it (SIGKILL) and waits until none shows it alive; and the
 * same with SIGSTOP, which breaks no connection. A killed node is started again with its key. Times are from the moment the node listens, or the signal, until the
 * last of the others has noticed. Limits: 2 s for joining and for a kill.
 *
 * Run: npx tsx benchmarks/network/liveness.ts [--nodes 8] [--rounds 5] [--out benchmarks/results/liveness.json]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

interface Peer {
  readonly nodeId: string
  readonly state: string
  readonly cards: readonly string[]
}
interface Node {
  readonly child: ChildProcess
  readonly nodeId: string
  readonly address: string
  /** Milliseconds on our clock when it listened. */
  readonly listenedAt: number
  until(condition: (peers: readonly Peer[]) => boolean): Promise<void>
}

const script = fileURLToPath(new URL('../../test/support/network-node.ts', import.meta.url))

const keys = await mkdtemp(join(tmpdir(), 'modelnet-liveness-'))

async function start(name: string, ...bootstrap: string[]): Promise<Node> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, name, ...bootstrap], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_IDENTITY: join(keys, name) },
  })
  const listeners = new Set<() => void>()
  let peers: readonly Peer[] = []
  const lines = createInterface({ input: child.stdout })
  const first = once(lines, 'line')
  lines.on('line', line => {
    peers = (JSON.parse(line) as { peers?: Peer[] }).peers ?? peers
    for (const listener of listeners) listener()
  })
  const { nodeId, addresses } = JSON.parse(String((await first)[0])) as { nodeId: string; addresses: string[] }
  return {
    child,
    nodeId,
    address: addresses[0] ?? '',
    listenedAt: performance.now(),
    until: condition =>
      new Promise(resolve => {
        const check = (): void => {
          if (!condition(peers)) return
          listeners.delete(check)
          resolve()
        }
        listeners.add(check)
        check()
      }),
  }
}

const isAlive = (node: Node) => (peers: readonly Peer[]) =>
  peers.some(peer => peer.nodeId === node.nodeId && peer.state === 'alive' && peer.cards.length > 0)
const isGone = (node: Node) => (peers: readonly Peer[]) =>
  peers.every(peer => peer.nodeId !== node.nodeId || peer.state !== 'alive')

const all = (nodes: readonly Node[], condition: (peers: readonly Peer[]) => boolean): Promise<unknown> =>
  Promise.all(nodes.map(node => node.until(condition)))

async function round(others: readonly Node[], name: string, signal: 'SIGKILL' | 'SIGSTOP') {
  const node = await start(name, others[others.length >> 1]?.address ?? '')
  await all(others, isAlive(node))
  const joinMs = Math.round(performance.now() - node.listenedAt)
  const struck = performance.now()
  node.child.kill(signal)
  await all(others, isGone(node))
  const noticeMs = Math.round(performance.now() - struck)
  node.child.kill('SIGKILL')
  return { joinMs, noticeMs }
}

/** After a kill that all have noticed: milliseconds from listening again until all others show it alive. */
async function comeBack(others: readonly Node[], name: string): Promise<number> {
  const node = await start(name, others[0]?.address ?? '')
  await all(others, isAlive(node))
  const ms = Math.round(performance.now() - node.listenedAt)
  node.child.kill('SIGKILL')
  await all(others, isGone(node))
  return ms
}

const summary = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: sorted[sorted.length >> 1], worst: sorted.at(-1), rounds: values }
}

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
})
const nodes: Node[] = []
try {
  for (let index = 0; index < Number(values.nodes); index++)
    nodes.push(await start(`node-${index}`, ...(nodes[0] ? [nodes[0].address] : [])))
  for (const node of nodes)
    await all(
      nodes.filter(other => other !== node),
      isAlive(node),
    )
  const joins: number[] = []
  const kills: number[] = []
  const hangs: number[] = []
  const returns: number[] = []
  for (let index = 0; index < Number(values.rounds); index++) {
    const killed = await round(nodes, `killed-${index}`, 'SIGKILL')
    returns.push(await comeBack(nodes, `killed-${index}`))
    const hung = await round(nodes, `hung-${index}`, 'SIGSTOP')
    joins.push(killed.joinMs, hung.joinMs)
    kills.push(killed.noticeMs)
    hangs.push(hung.noticeMs)
  }
  const report = {
    question: 'milliseconds until the last of the others has noticed',
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg(), node: process.version },
    nodes: nodes.length,
    join: summary(joins),
    kill: summary(kills),
    return: summary(returns),
    hang: summary(hangs),
  }
  console.log(JSON.stringify(report, null, 2))
  if (values.out !== undefined) {
    await mkdir(dirname(values.out), { recursive: true })
    await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`)
  }
} finally {
  for (const { child } of nodes) child.kill('SIGKILL')
  await rm(keys, { recursive: true })
}
