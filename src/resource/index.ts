/**
 * What exists on a node: engines, models, admission, and models on peers that look the same.
 */
export { createDecodeSession } from './decode-session.ts'
export type { ByteCounts, ByteOptions } from './decoding/byte-session.ts'
export type { EvaluationCounts } from './decoding/context-tree.ts'
export { characterSize } from './decoding/spelling.ts'
export { concatBytes, SteppedSession } from './decoding/stepped-session.ts'
export type {
  FullScores,
  ScoresWanted,
  TokenEvaluation,
  TokenModel,
  TokenRun,
  TokenScores,
  TokenSequence,
  TopScores,
} from './decoding/token-model.ts'
export type { TokenSessionOptions } from './decoding/token-session.ts'
export { createTokenSession } from './decoding/token-session.ts'
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
