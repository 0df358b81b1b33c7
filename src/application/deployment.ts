import { statSync } from 'node:fs'
import type { Coordinator } from '../interaction/index.ts'
import type { CallHandlers, Membership, PeerLinks } from '../network/index.ts'
import {
  type Admission,
  createCatalogue,
  createDeployer,
  createDeploymentHost,
  createWeightsHandlers,
  createWeightsStore,
  type DeployableModel,
  type Deployed,
  type Devices,
  type ModelCard,
  type ModelSpec,
  readDevices,
  readMemory,
  type WeightsCache,
  type WeightsHolder,
} from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'
import type { Logger } from '../utils/logger.ts'
import type { NodeConfig } from './config-schema.ts'
import { withDeployment } from './deployment-on-demand.ts'
import type { ModelPlan } from './local-models.ts'
import type { OwnModels } from './own-models.ts'
import { shippedModels } from './shipped-models.ts'

export interface DeploymentComponents {
  readonly nodeId: string
  readonly membership: Membership
  readonly links: PeerLinks
  readonly models: OwnModels
  readonly cache: WeightsCache
  readonly admission: Admission
  readonly clock: Clock
  readonly logger: Logger
  /** Limits who may have models started and weights given. */
  readonly guard: (handlers: CallHandlers) => CallHandlers
}

/** What this node has and does, for people and programs. */
interface Resources {
  readonly node: string
  readonly devices: Devices
  readonly engines: readonly { readonly name: string; readonly models: number }[]
  readonly models: readonly {
    readonly id: string
    readonly engine: string
    readonly running: number
    readonly queued: number
    readonly slots: number
    readonly tokensPerSecond: number
    readonly weightsBytes?: number
    /** Memory counted for it; only for models that were deployed. */
    readonly memoryBytes?: number
  }[]
  readonly weights: { readonly bytes: number; readonly quotaBytes: number; readonly files: number }
  readonly deploy: { readonly allow: boolean; readonly share: boolean }
}

/** Models that start where and when they are wanted. */
export interface Deployment {
  /** Starts a model, on the most suitable node or on the one named. */
  deploy(model: string, options?: { readonly node?: string; readonly signal?: AbortSignal }): Promise<Deployed>
  resources(): Promise<Resources>
  /** The same coordinator; a model that is named, known and run by nobody is started first. */
  onDemand(coordinator: Coordinator): Pick<Coordinator, 'ask'>
  close(): Promise<void>
}

/** Peers asked for weights that no card names. */
const MAX_HOLDERS = 16

export function createDeployment(
  components: DeploymentComponents,
  config: NodeConfig,
  plans: readonly ModelPlan[],
): Deployment {
  const { nodeId, membership, links, models, cache, admission, clock, logger } = components
  const { allow, share, idleMs, quotaBytes, bytesPerSecond, memoryBytes = readMemory().totalBytes / 2 } = config.deploy
  const shipped = shippedModels().map(({ spec }) => spec)
  const files = filesByDigest([...shipped, ...plans.map(({ spec }) => spec)], models.cards())
  const holders = (digest: string): readonly WeightsHolder[] => {
    const peers = membership.entries().filter(entry => !entry.self && entry.state === 'alive')
    const runs = peers.filter(({ cards }) => cards.some(({ weights }) => weights?.digest === digest))
    const likely = [...new Set([...runs, ...peers])].slice(0, MAX_HOLDERS)
    return likely.map(({ nodeId: peer }) => ({ peer, channel: () => links.channel(peer) }))
  }
  const store = createWeightsStore({ cache, own: () => files, holders, clock, logger })
  const catalogue = createCatalogue(membership, shipped.flatMap(toKnown))
  const host = createDeploymentHost(
    { catalogue, store, runner: models, memory: readMemory, clock, logger },
    { allow, budgetBytes: memoryBytes, idleMs },
  )
  const deployer = createDeployer({ self: nodeId, directory: membership, links, catalogue, host, clock, logger })
  const find = async (digest: string): Promise<string | undefined> => (share ? store.find(digest) : undefined)
  const unserve = links.serve(
    components.guard({
      ...host.handlers,
      ...deployer.handlers,
      ...createWeightsHandlers({ find, clock }, { bytesPerSecond }),
    }),
  )

  return {
    deploy: (model, options) => deployer.ensure(model, options),
    onDemand: coordinator => withDeployment(coordinator, { catalogue, deployer, logger }),
    async resources() {
      const cards = models.cards()
      const counted = host.deployed()
      const kept = await cache.list()
      return {
        node: nodeId,
        devices: await readDevices(),
        engines: [...new Set(cards.map(({ engine }) => engine))].map(name => ({
          name,
          models: cards.filter(({ engine }) => engine === name).length,
        })),
        models: cards.map(card => {
          const held = counted.get(card.id)
          return {
            ...admission.status(card),
            engine: card.engine,
            ...(card.weights && { weightsBytes: card.weights.bytes }),
            ...(held && { memoryBytes: held.bytes }),
          }
        }),
        weights: { bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0), quotaBytes, files: kept.length },
        deploy: { allow, share },
      }
    },
    async close() {
      unserve()
      catalogue.close()
      await host.close()
    },
  }
}

/** Files that lie on this machine for good, by the digest of what is in them. */
function filesByDigest(specs: readonly ModelSpec[], cards: readonly ModelCard[]): ReadonlyMap<string, string> {
  const files = specs.flatMap(({ id, file, digest }): readonly (readonly [string, string])[] => {
    const known = digest ?? cards.find(card => card.id === id)?.weights?.digest
    return file !== undefined && known !== undefined ? [[known, file]] : []
  })
  return new Map(files)
}

/** A shipped model, which every node can run. */
function toKnown(spec: ModelSpec): readonly DeployableModel[] {
  const { id, file, digest, description, tags, contextLength, concurrency = 4, claims } = spec
  if (!file || !digest || !description || !tags || contextLength === undefined) return []
  const { size: bytes } = statSync(file)
  return [{ id, digest, bytes, description, tags, contextLength, concurrency, ...(claims && { claims }) }]
}
