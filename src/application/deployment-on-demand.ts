import { AUTO, type Coordinator } from '../interaction/index.ts'
import type { Catalogue, Deployer } from '../resource/index.ts'
import { isModelNetError, type ModelNetError, toModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'

export interface OnDemandComponents {
  readonly catalogue: Pick<Catalogue, 'find'>
  readonly deployer: Pick<Deployer, 'isLive' | 'ensure'>
  readonly logger: Logger
}

/**
 * The same coordinator, where a request that names a model which is known and run by no live node waits until it has
 * been started. When it could not be, the pathway is tried without it; if it cannot do without, the error says why.
 */
export function withDeployment(coordinator: Coordinator, components: OnDemandComponents): Pick<Coordinator, 'ask'> {
  const { catalogue, deployer, logger } = components

  const missingFrom = (pathway: Parameters<Coordinator['inspect']>[0]): readonly string[] => {
    if (pathway === AUTO) return []
    const ids = textsOf(coordinator.inspect(pathway).term).flatMap(text => catalogue.find(text)?.id ?? [])
    return [...new Set(ids)].filter(id => !deployer.isLive(id))
  }

  const start = async (ids: readonly string[], signal: AbortSignal | undefined): Promise<ModelNetError | undefined> => {
    const results = await Promise.allSettled(ids.map(id => deployer.ensure(id, signal ? { signal } : {})))
    signal?.throwIfAborted()
    const errors = results.flatMap(result => (result.status === 'rejected' ? [toModelNetError(result.reason)] : []))
    for (const error of errors) logger.debug({ code: error.code, reason: error.message }, 'not deployed')
    // That no node may start it is the ordinary case, and says less than that no node offers it.
    return errors.find(({ code }) => code !== 'FORBIDDEN')
  }

  return {
    async *ask(task, options = {}) {
      const failure = await start(missingFrom(options.pathway ?? AUTO), options.signal)
      try {
        return yield* coordinator.ask(task, options)
      } catch (error) {
        const misses = isModelNetError(error) && (error.code === 'MODEL_NOT_FOUND' || error.code === 'NO_CANDIDATE')
        throw failure && misses ? failure : error
      }
    },
  }
}

/** Every text that stands in a term; those that name a model are found in the catalogue. */
export function textsOf(term: unknown): readonly string[] {
  if (typeof term === 'string') return [term]
  return typeof term === 'object' && term !== null ? Object.values(term).flatMap(textsOf) : []
}
