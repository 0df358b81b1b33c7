import type { ChildProcess } from 'node:child_process'
import type { Engine } from '../resource/index.ts'
import {
  createGatewayChannelEngine,
  createLlamaServerEngine,
  createOpenAiCompatibleEngine,
  createWorkerEngine,
} from '../resource/index.ts'
import type { Logger } from '../utils/logger.ts'
import type { EngineName } from './local-models.ts'

/** The engines of one node, each made when a model first needs it. */
export interface Engines {
  get(name: EngineName): Engine
  close(): Promise<void>
}

export interface EnginesComponents {
  readonly logger: Logger
  /** An inference process that runs already. */
  readonly inference?: ChildProcess
}

const MAKERS: Readonly<Record<EngineName, (components: EnginesComponents) => Engine>> = {
  'llama.cpp': ({ logger, inference }) => createWorkerEngine({ logger, ...(inference && { process: inference }) }),
  'llama-server': () => createLlamaServerEngine(),
  'openai-compatible': () => createOpenAiCompatibleEngine(),
  modelnet: ({ logger }) => createGatewayChannelEngine({ logger }),
}

export function createEngines(components: EnginesComponents): Engines {
  const made = new Map<EngineName, Engine>()
  return {
    get(name) {
      const engine = made.get(name) ?? MAKERS[name](components)
      made.set(name, engine)
      return engine
    },
    async close() {
      await Promise.allSettled([...made.values()].map(engine => engine.close()))
    },
  }
}
