import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { basename, isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shippedModel } from '../../src/application/shipped-models.ts'
import { createIdentity, createLibp2pNetwork, createPeerLinks } from '../../src/network/index.ts'
import type { ModelCard } from '../../src/protocol/index.ts'
import { END } from '../../src/protocol/index.ts'
import type { Distribution, DistributionKind, LanguageModel } from '../../src/resource/index.ts'
import { createLlamaCppEngine, createModelHandlers, createRemoteModel } from '../../src/resource/index.ts'
import { createScriptedCard, createScriptedSession } from '../../src/testing/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { silentLogger } from '../../src/utils/logger.ts'

/** A model without weights that answers every step at once: what then remains is the coordinator and the network. */
export const INSTANT = 'instant'

export interface Peers {
  readonly models: readonly LanguageModel[]
  close(): Promise<void>
}

async function startNode() {
  const components = { clock: systemClock, logger: silentLogger }
  const network = createLibp2pNetwork(
    { ...components, identity: await createIdentity() },
    { listen: ['/ip4/127.0.0.1/tcp/0'] },
  )
  await network.start()
  return { network, links: createPeerLinks({ ...components, network }) }
}

/** Starts a process of its own for each model (a shipped one, or a GGUF file with its whole path) and connects to it over libp2p (TCP, encrypted, multiplexed) on 127.0.0.1. */
export async function startPeers(names: readonly string[]): Promise<Peers> {
  const { network, links } = await startNode()
  const children: ChildProcess[] = []
  const models = await Promise.all(
    names.map(async name => {
      const child = fork(fileURLToPath(import.meta.url), [name], { execArgv: process.execArgv })
      children.push(child)
      const [{ address, card }] = (await once(child, 'message')) as [{ address: string; card: ModelCard }]
      const peer = await network.dial(address)
      return createRemoteModel({ card, channel: () => links.channel(peer) })
    }),
  )
  return {
    models,
    async close() {
      await links.close()
      await network.close()
      for (const child of children) child.kill()
    },
  }
}

async function serve(name: string): Promise<void> {
  const spec = isAbsolute(name) ? { id: basename(name), file: name, contextLength: 2048 } : undefined
  const model =
    name === INSTANT
      ? instantModel()
      : await createLlamaCppEngine().load(spec ?? shippedModel(name).spec, { node: 'local' })
  const { network, links } = await startNode()
  links.serve(createModelHandlers(() => [model]))
  process.send?.({ address: network.addresses()[0], card: model.card })
  process.once('disconnect', () => process.exit(0))
}

export function instantModel(): LanguageModel {
  const card = createScriptedCard({ card: { capabilities: ['generate', 'tokens', 'bytes'] } })
  return {
    card,
    async *generate() {
      yield { type: 'finish', reason: 'stop', usage: { promptTokens: 0, completionTokens: 0 } }
    },
    async open(_request, options = {}) {
      const distribution: DistributionKind = options.distribution ?? { kind: 'bytes' }
      const answer = typical(distribution)
      return createScriptedSession({ distribution, next: () => answer })
    },
  }
}

/** A distribution of the usual shape: one likely symbol, some others, a tail. */
function typical(kind: DistributionKind): Distribution {
  if (kind.kind === 'bytes') {
    const weights = Float64Array.from({ length: END + 1 }, (_, symbol) => 1 / (1 + ((symbol * 97) % 257)) ** 2)
    const total = weights.reduce((sum, value) => sum + value, 0)
    return { kind: 'bytes', probabilities: weights.map(value => value / total) }
  }
  const candidates = Array.from({ length: kind.top }, (_, rank) => ({
    bytes: new TextEncoder().encode(` token${rank}`.slice(0, 5)),
    logprob: Math.log(0.45) - rank * Math.LN2,
  }))
  const mass = candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), 1e-4)
  return { kind: 'tokens', candidates, end: Math.log(1e-4), residual: 1 - mass }
}

const [, script, name] = process.argv
if (script === fileURLToPath(import.meta.url) && name) await serve(name)
