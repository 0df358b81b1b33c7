/**
 * What exists on a node: engines, models, admission, and models on peers that look the same.
 */
export { createDecodeSession } from './decode-session.ts'
export type { Engine, LoadedModel, ModelSpec } from './engine.ts'
export type {
  CallOptions,
  DecodeResult,
  DecodeSession,
  DecodeStep,
  Distribution,
  DistributionKind,
  Draft,
  Embedding,
  EmbedRequest,
  GeneratePart,
  GenerateRequest,
  LanguageModel,
  ModelCard,
  OpenOptions,
  Score,
  ScoreRequest,
} from './language-model.ts'
