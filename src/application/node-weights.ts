import { join } from 'node:path'
import { createWeightsCache, isHuggingFaceName, obtainFromHuggingFace, type WeightsCache } from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'
import type { Logger } from '../utils/logger.ts'
import type { NodeConfig } from './config-schema.ts'
import type { ModelPlan } from './local-models.ts'

/** Weights that this node fetches and keeps. */
export interface NodeWeights {
  readonly cache: WeightsCache
  /** The same plans, with a file on this disk where a Hugging Face name stood. */
  obtain(plans: readonly ModelPlan[], signal?: AbortSignal): Promise<readonly ModelPlan[]>
}

export function createNodeWeights(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  { dataDir, deploy }: Pick<NodeConfig, 'dataDir' | 'deploy'>,
): NodeWeights {
  const { directory = join(dataDir, 'weights'), quotaBytes, huggingFaceUrl: url, huggingFaceToken: token } = deploy
  const cache = createWeightsCache({ directory, quotaBytes, clock })
  return {
    cache,
    async obtain(plans, signal) {
      const found: ModelPlan[] = []
      // one after another: each may need the room that another has just taken
      for (const plan of plans) {
        const { file, digest } = plan.spec
        if (file === undefined || !isHuggingFaceName(file)) {
          found.push(plan)
          continue
        }
        const source = { url, cache, directory, clock, logger, ...(token && { token }), ...(signal && { signal }) }
        const weights = await obtainFromHuggingFace(file, digest, source)
        // a model that this node is configured to run keeps its weights for as long as the node runs
        cache.pin(weights.digest)
        found.push({ ...plan, spec: { ...plan.spec, file: weights.file, digest: weights.digest } })
      }
      return found
    },
  }
}
