import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type NodeProcess, type PeersBody, peersOf, startNode } from '../../test/support/processes.ts'

/** One place in a network of real processes; whoever runs there keeps its data directory, and so its identity. */
export interface Place {
  readonly index: number
  /** `modelnet serve` arguments of its models. */
  model: readonly string[]
  readonly dataDir: string
  /** Who runs there now. */
  process: NodeProcess
}

/** Real `modelnet serve` processes on this machine: one that is asked and runs no model, and holders of models. */
export interface ProcessNetwork {
  readonly asked: NodeProcess
  readonly places: readonly Place[]
  /** Starts a process anew where another one ended. Resolves when it says that it is ready. */
  restart(place: Place): Promise<NodeProcess>
  /** Polls until each of `nodes` sees `target` so; resolves to the milliseconds from `since`, or rejects after a minute. */
  untilSeen(
    nodes: readonly NodeProcess[],
    target: string,
    seen: (node: PeersBody['nodes'][number] | undefined) => boolean,
    since: number,
  ): Promise<number>
  alive(): readonly NodeProcess[]
  close(): Promise<void>
}

const POLL_MS = 50
const PATIENCE_MS = 60_000

/** Starts the asked node, then the holders together; `models[i]` are the `--model` arguments of holder i. */
export async function startProcessNetwork(
  models: readonly (readonly string[])[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProcessNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'modelnet-processes-'))
  const asked = await startNode(['--data-dir', join(folder, 'asked'), '--listen', '/ip4/127.0.0.1/tcp/0'], env)
  const dead = new Set<NodeProcess>()
  const start = async (model: readonly string[], dataDir: string): Promise<NodeProcess> => {
    const process = await startNode(
      [
        ...['--data-dir', dataDir, '--bootstrap', asked.addresses[0] ?? ''],
        ...model.flatMap(each => ['--model', each]),
      ],
      env,
    )
    process.child.once('exit', () => dead.add(process))
    process.child.stderr?.resume()
    return process
  }
  const places: Place[] = []
  try {
    const starting = models.map(async (model, index) => {
      const dataDir = join(folder, `holder-${index}`)
      places.push({ index, model, dataDir, process: await start(model, dataDir) })
    })
    await Promise.all(starting)
  } catch (error) {
    for (const process of [asked, ...places.map(place => place.process)]) process.child.kill('SIGKILL')
    throw error
  }
  places.sort((a, b) => a.index - b.index)
  const alive = (): readonly NodeProcess[] =>
    [asked, ...places.map(place => place.process)].filter(process => !dead.has(process) && !process.child.killed)
  const network: ProcessNetwork = {
    asked,
    places,
    alive,
    async restart(place) {
      place.process = await start(place.model, place.dataDir)
      return place.process
    },
    async untilSeen(nodes, target, seen, since) {
      const waiting = new Set(nodes)
      while (waiting.size > 0) {
        await Promise.all(
          [...waiting].map(async node => {
            const body = await peersOf(node).catch(() => undefined)
            const isGone = dead.has(node) || node.child.killed
            if (isGone || (body && seen(body.nodes.find(each => each.node === target)))) waiting.delete(node)
          }),
        )
        if (performance.now() - since > PATIENCE_MS)
          throw new Error(`${waiting.size} nodes still do not see what became of ${target}`)
        if (waiting.size > 0) await new Promise(resolve => setTimeout(resolve, POLL_MS))
      }
      return Math.round(performance.now() - since)
    },
    async close() {
      await Promise.all(alive().map(process => process.stop()))
    },
  }
  const since = performance.now()
  for (const { process } of places) await network.untilSeen(network.alive(), process.node, isServing, since)
  return network
}

/** It is a member and offers its models. */
export const isServing = (node: PeersBody['nodes'][number] | undefined): boolean =>
  node?.state === 'alive' && node.models.length > 0

/** No new work goes there. */
export const isOut = (node: PeersBody['nodes'][number] | undefined): boolean =>
  node === undefined || node.state !== 'alive' || node.draining === true
