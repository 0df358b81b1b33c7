/**
 * What exists on a node: engines, models, admission, and models on peers that look the same.
 */
export type { Engine, LoadedModel, ModelSpec } from './engine.ts'
export type { CallOptions, DecodeSession, LanguageModel, OpenOptions } from './language-model.ts'
