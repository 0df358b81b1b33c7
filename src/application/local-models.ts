import type { Engine, LoadedModel, ModelSpec } from '../resource/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { ModelConfig } from './config-schema.ts'
import { shippedModel } from './shipped-models.ts'

export type EngineName = 'llama.cpp' | 'llama-server' | 'openai-compatible' | 'modelnet'

/** The engine that runs a configured model, and what it is told. */
export interface ModelPlan {
  readonly engine: EngineName
  readonly spec: ModelSpec
}

/** Reads one entry of `models`: a shipped specialist, a GGUF file or a server. */
export function toModelPlan(config: ModelConfig): ModelPlan {
  const { shipped, engine, key, allow: _, ...own } = config
  const given = { ...own, ...(key !== undefined && { apiKey: key }) }
  if (shipped !== undefined) return { engine: 'llama.cpp', spec: { ...shippedModel(shipped).spec, ...given } }
  if (config.file !== undefined) {
    const name = config.file.replace(/^.*[\\/]/, '').replace(/\.gguf$/i, '')
    return { engine: engine ?? 'llama.cpp', spec: { ...given, id: config.id ?? name } }
  }
  const id = config.id ?? config.remoteModel
  if (id === undefined)
    throw new ModelNetError('INVALID_CONFIG', `the model at ${config.url} needs an \`id\` or a \`remoteModel\``)
  return { engine: engine ?? 'openai-compatible', spec: { ...given, id, remoteModel: config.remoteModel ?? id } }
}

/** Loads every configured model; when one fails, those already loaded are closed and its error is thrown. */
export async function loadModels(
  plans: readonly ModelPlan[],
  engines: (name: EngineName) => Engine,
  options: { readonly node: string; readonly signal?: AbortSignal },
): Promise<readonly LoadedModel[]> {
  const results = await Promise.allSettled(plans.map(({ engine, spec }) => engines(engine).load(spec, options)))
  const failed = results.find(result => result.status === 'rejected')
  const loaded = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (!failed) return loaded
  await Promise.allSettled(loaded.map(model => model.close()))
  throw failed.reason
}
