import type { Engine } from '../resource/index.ts'
import { createLlamaServerEngine, createOpenAiCompatibleEngine, createWorkerEngine } from '../resource/index.ts'
import type { Logger } from '../utils/logger.ts'
import type { EngineName } from './local-models.ts'

/** The engines of one node, each made when a model first needs it. */
export interface Engines {
  get(name: EngineName): Engine
  close(): Promise<void>
}

const MAKERS: Readonly<Record<EngineName, (logger: Logger) => Engine>> = {
  'llama.cpp': logger => createWorkerEngine({ logger }),
  'llama-server': () => createLlamaServerEngine(),
  'openai-compatible': () => createOpenAiCompatibleEngine(),
}

export function createEngines(logger: Logger): Engines {
  const made = new Map<EngineName, Engine>()
  return {
    get(name) {
      const engine = made.get(name) ?? MAKERS[name](logger)
      made.set(name, engine)
      return engine
    },
    async close() {
      await Promise.allSettled([...made.values()].map(engine => engine.close()))
    },
  }
}
