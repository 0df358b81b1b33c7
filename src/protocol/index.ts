/**
 * What travels between nodes: schemas, codec, signatures, versions, limits. Pure: no I/O.
 */
export type { Capability, MeasuredClaim, ModelCard } from './card.ts'
export { CAPABILITIES, ModelCardSchema, ModelIdSchema, TagSchema } from './card.ts'
export type {
  ByteDistribution,
  Candidate,
  DecodeResult,
  DecodeStep,
  Distribution,
  DistributionKind,
  Draft,
  TokenDistribution,
} from './decode.ts'
export { DecodeStepSchema, DistributionKindSchema, END } from './decode.ts'
export type {
  ChatMessage,
  Embedding,
  EmbedRequest,
  FinishReason,
  GeneratePart,
  GenerateRequest,
  Score,
  ScoreRequest,
  TokenLogprob,
  Usage,
} from './generate.ts'
export {
  ChatMessageSchema,
  EmbedRequestSchema,
  GeneratePartSchema,
  GenerateRequestSchema,
  ScoreRequestSchema,
  ScoreSchema,
  UsageSchema,
} from './generate.ts'
export {
  CALL_CREDIT,
  MAX_CANDIDATES,
  MAX_CARD_BYTES,
  MAX_CARDS_PER_NODE,
  MAX_DEADLINE_MS,
  MAX_FRAME_BYTES,
  MAX_GOSSIPED_MEMBERS,
  MAX_MEMBER_BYTES,
  MAX_MESSAGES,
  MAX_NESTING,
  MAX_OPEN_CALLS,
  MAX_STEP_BYTES,
  MAX_TAGS,
} from './limits.ts'
export type { ModelStatus, NodeStatus } from './status.ts'
export { NodeStatusSchema } from './status.ts'
