/**
 * What exists on a node: engines, models, admission, and models on peers that look the same.
 */
export type { Admission, AdmissionOptions, AdmissionSlot, EnterOptions } from './admission.ts'
export { createAdmission } from './admission.ts'
export { withAdmission } from './admitted-model.ts'
export { CARD_LIFETIME_S } from './card.ts'
export { createDecodeSession } from './decode-session.ts'
export type { ByteCounts, ByteOptions } from './decoding/byte-session.ts'
export { createByteView } from './decoding/byte-view.ts'
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
export type { Catalogue, DeployableModel } from './deployment/catalogue.ts'
export { createCatalogue } from './deployment/catalogue.ts'
export type { Deployer, EnsureOptions } from './deployment/deployer.ts'
export { createDeployer } from './deployment/deployer.ts'
export type { DeploymentHost, ModelRunner } from './deployment/host.ts'
export { createDeploymentHost } from './deployment/host.ts'
export type { Deployed } from './deployment/messages.ts'
export type { Devices, Gpu } from './devices.ts'
export { readDevices, readMemory } from './devices.ts'
export type { Engine, LoadedModel, ModelSpec } from './engine.ts'
export type { GatewayChannelEngineOptions } from './engines/gateway-channel.ts'
export { createGatewayChannelEngine } from './engines/gateway-channel.ts'
export type { LlamaCppEngineOptions } from './engines/llama-cpp.ts'
export { createLlamaCppEngine } from './engines/llama-cpp.ts'
export type { LlamaServerEngineOptions } from './engines/llama-server.ts'
export { createLlamaServerEngine } from './engines/llama-server.ts'
export type { OpenAiCompatibleEngineOptions } from './engines/openai-compatible.ts'
export { createOpenAiCompatibleEngine } from './engines/openai-compatible.ts'
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
  EmbedResult,
  GeneratePart,
  GenerateRequest,
  LanguageModel,
  ModelCard,
  OpenOptions,
  Score,
  ScoreRequest,
} from './language-model.ts'
export type { ModelHandlersOptions } from './model-server.ts'
export { createModelHandlers } from './model-server.ts'
export type { RemoteModelOptions } from './remote-model.ts'
export { createRemoteModel } from './remote-model.ts'
export type { SelfTestOptions } from './self-test.ts'
export { selfTest } from './self-test.ts'
export type { CachedWeights, WeightsCache } from './weights/cache.ts'
export { createWeightsCache } from './weights/cache.ts'
export type { WeightsHolder } from './weights/fetch.ts'
export type { HuggingFaceOptions, NamedWeights } from './weights/hugging-face.ts'
export { isHuggingFaceName, obtainFromHuggingFace } from './weights/hugging-face.ts'
export { createWeightsHandlers } from './weights/server.ts'
export type { WeightsStore } from './weights/store.ts'
export { createWeightsStore } from './weights/store.ts'
export type { WorkerEngine, WorkerEngineOptions } from './worker-engine.ts'
export { createWorkerEngine } from './worker-engine.ts'
