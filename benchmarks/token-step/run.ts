/**
 * Question: what does one step of a decode session (commit the best token, ask for what follows) cost by distance?
 *
 * The same weights in five places: in this process (the floor), in the node's worker process, behind a real llama-server
 * over loopback HTTP, at another process over a libp2p stream, and there in that node's worker process, which is how two
 * nodes work. For the ten best tokens and for exact bytes. Places alternate within each round, in fresh sessions; medians
 * over the rounds are reported, with every round's value.
 *
 * Run: npx tsx benchmarks/token-step/run.ts [--rounds 7] [--steps 200] [--model geography]
 * With MODELNET_LLAMA_SERVER=<path of llama-server> for the HTTP place; without it that place is left out.
 * Writes benchmarks/results/token-step.json. Limits: one machine, one small model, one session at a time.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  createIdentity,
  createLibp2pNetwork,
  createPeerLinks,
  type Network,
  type PeerLinks,
} from '../../src/network/index.ts'
import type { ModelCard } from '../../src/protocol/index.ts'
import {
  createLlamaCppEngine,
  createLlamaServerEngine,
  createModelHandlers,
  createRemoteModel,
  createWorkerEngine,
  type DistributionKind,
  type LanguageModel,
} from '../../src/resource/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { silentLogger } from '../../src/utils/logger.ts'
import { LLAMA_SERVER, startLlamaServer } from '../../test/support/llama-server.ts'
import { median, writeResult } from '../support.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    steps: { type: 'string', default: '200' },
    model: { type: 'string', default: 'geography' },
    serve: { type: 'boolean', default: false },
  },
})
const file = fileURLToPath(new URL(`../../models/${values.model}/${values.model}.gguf`, import.meta.url))
const KINDS: Readonly<Record<string, DistributionKind>> = {
  'ten best tokens': { kind: 'tokens', top: 10 },
  'exact bytes': { kind: 'bytes' },
}
const request = { messages: [{ role: 'user' as const, content: 'What is the capital of France?' }] }

async function startNode(): Promise<{ network: Network; links: PeerLinks }> {
  const components = { clock: systemClock, logger: silentLogger }
  const network = createLibp2pNetwork(
    { ...components, identity: createIdentity() },
    { listen: ['/ip4/127.0.0.1/tcp/0'] },
  )
  await network.start()
  return { network, links: createPeerLinks({ ...components, network }) }
}

/** The other node: the model in its own process and in its worker process. */
async function serve(): Promise<void> {
  const { network, links } = await startNode()
  const node = network.nodeId
  const worker = createWorkerEngine()
  const models = [
    await createLlamaCppEngine().load({ id: 'here', file }, { node }),
    await worker.load({ id: 'worker', file }, { node }),
  ]
  links.serve(createModelHandlers(() => models))
  process.send?.({ address: network.addresses()[0], cards: models.map(model => model.card) })
  process.once('disconnect', () => void worker.close().then(() => process.exit(0)))
}

/** Milliseconds of each step of one session. */
async function measure(model: LanguageModel, distribution: DistributionKind, steps: number): Promise<number> {
  const session = await model.open?.(request, { distribution })
  if (!session) throw new Error(`${model.card.id} opens no sessions`)
  const times: number[] = []
  let next = await session.next()
  for (let step = 0; step < steps; step++) {
    const commit =
      next.kind === 'tokens'
        ? (next.candidates[0]?.bytes ?? Uint8Array.of(32))
        : Uint8Array.of(next.probabilities.subarray(0, 256).indexOf(Math.max(...next.probabilities.subarray(0, 256))))
    const started = performance.now()
    const { distributions } = await session.step({ commit, next: true })
    times.push(performance.now() - started)
    next = distributions?.[0] ?? next
  }
  await session.close()
  return median(times)
}

async function run(child: ChildProcess): Promise<void> {
  const [{ address, cards }] = (await once(child, 'message')) as [{ address: string; cards: readonly ModelCard[] }]
  const { network, links } = await startNode()
  const peer = await network.dial(address)
  const channel = async (): ReturnType<PeerLinks['channel']> => links.channel(peer)
  const [cardHere, cardWorker] = cards
  const here = createLlamaCppEngine()
  const worker = createWorkerEngine()
  const http = createLlamaServerEngine()
  const server = LLAMA_SERVER ? await startLlamaServer(file) : undefined
  const places: Record<string, LanguageModel> = {
    'in process (floor)': await here.load({ id: 'here', file }, { node: network.nodeId }),
    'worker process': await worker.load({ id: 'worker', file }, { node: network.nodeId }),
  }
  if (server)
    places['llama-server, loopback HTTP'] = await http.load({ id: 'http', url: server.url }, { node: network.nodeId })
  if (cardHere) places['peer, libp2p stream'] = createRemoteModel({ card: cardHere, channel })
  if (cardWorker) places['peer and its worker, libp2p stream'] = createRemoteModel({ card: cardWorker, channel })

  const results: object[] = []
  for (const [what, kind] of Object.entries(KINDS)) {
    const rounds = new Map<string, number[]>(Object.keys(places).map(place => [place, []]))
    for (let round = -1; round < Number(values.rounds); round++) {
      const order = Object.entries(places)
      for (const [place, model] of round % 2 === 0 ? order : order.reverse()) {
        const ms = await measure(model, kind, Number(values.steps))
        if (round >= 0) rounds.get(place)?.push(Number(ms.toFixed(3))) // the first round warms up
      }
    }
    const floor = median(rounds.get('in process (floor)') ?? [])
    for (const [place, each] of rounds) {
      const ms = median(each)
      results.push({
        distribution: what,
        place,
        msPerStep: ms,
        aboveFloorMs: Number((ms - floor).toFixed(3)),
        rounds: each,
      })
      console.log(`${what.padEnd(16)} ${place.padEnd(36)} ${ms.toFixed(3)} ms  (+${(ms - floor).toFixed(3)})`)
    }
  }
  writeResult('token-step', { model: values.model, steps: Number(values.steps), results })
  await Promise.all([here.close(), worker.close(), http.close(), server?.close(), links.close()])
  await network.close()
}

if (values.serve) await serve()
else {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', '--model', values.model])
  try {
    await run(child)
  } finally {
    child.disconnect()
  }
}
