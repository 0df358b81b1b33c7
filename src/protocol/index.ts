/**
 * What travels between nodes: schemas, codec, signatures, versions, limits. Pure: no I/O.
 */

export type { CapabilityAd } from './ad.ts'
export { CapabilityAdSchema } from './ad.ts'
export type { CapabilityAttestation } from './attestation.ts'
export { CapabilityAttestationSchema, MAX_ATTESTATION_BYTES, MAX_ATTESTED_RECORDS } from './attestation.ts'
export { digestOf, toCanonicalJson } from './canonical.ts'
export type { Capability, MeasuredClaim, ModelCard } from './card.ts'
export { BARE_TAG, CAPABILITIES, ModelCardSchema, ModelIdSchema, TagSchema } from './card.ts'
export type { MembershipCertificate, RevocationList } from './certificate.ts'
export { MembershipCertificateSchema, RevocationListSchema } from './certificate.ts'
export { decodeFrame, decodeSizedFrame, encodeFrame } from './codec.ts'
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
export type { WireDecodeResult, WireDistribution } from './distribution.ts'
export { decodeDecodeResult, decodeDistribution, encodeDecodeResult, encodeDistribution } from './distribution.ts'
export type { ChannelFrame, ChannelFrameType } from './frames.ts'
export { readChannelFrame } from './frames.ts'
export { FRAME_HEADER_BYTES, FrameReader, prefixFrame } from './framing.ts'
export type {
  ChatMessage,
  Embedding,
  EmbedRequest,
  EmbedResult,
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
  EmbeddingSchema,
  EmbedEndSchema,
  EmbedRequestSchema,
  GeneratePartSchema,
  GenerateRequestSchema,
  ScoreRequestSchema,
  ScoreSchema,
  UsageSchema,
} from './generate.ts'
export {
  CALL_CREDIT,
  DISTRIBUTION_TOLERANCE,
  MAX_AD_BYTES,
  MAX_AD_CAPABILITIES,
  MAX_AD_LIFE_S,
  MAX_ADS_PER_ANSWER,
  MAX_CANDIDATES,
  MAX_CARD_BYTES,
  MAX_CARD_LIFE_S,
  MAX_CARDS_PER_NODE,
  MAX_CERTIFICATE_BYTES,
  MAX_CLOCK_SKEW_S,
  MAX_DEADLINE_MS,
  MAX_DISTRIBUTIONS,
  MAX_EMBEDDING,
  MAX_ERROR_LENGTH,
  MAX_FRAME_BYTES,
  MAX_FRAME_ITEMS,
  MAX_GOSSIPED_MEMBERS,
  MAX_MEMBER_BYTES,
  MAX_MEMBER_LIFE_S,
  MAX_MESSAGES,
  MAX_METHOD_LENGTH,
  MAX_NESTING,
  MAX_OPEN_CALLS,
  MAX_OPERATORS,
  MAX_RECEIPT_BYTES,
  MAX_REVOCATIONS_BYTES,
  MAX_REVOKED,
  MAX_STALL_MS,
  MAX_STEP_BYTES,
  MAX_TAGS,
  MAX_TEXTS,
  MAX_WAITING_BYTES,
} from './limits.ts'
export type { MemberRecord } from './member.ts'
export { DigestSchema, MemberRecordSchema, NodeIdSchema } from './member.ts'
export { isNodeId, toNodeId, toPublicKey } from './node-id.ts'
export type { ProbeReport } from './probe.ts'
export { ProbeReportSchema } from './probe.ts'
export type { Receipt, SignedReceipt } from './receipt.ts'
export { ReceiptSchema, verifyReceipt } from './receipt.ts'
export type { DocumentType, SignedDocument, Signer, VerifiedDocument } from './signature.ts'
export { DOCUMENT_TYPES, signDocument, verifyDocument } from './signature.ts'
export type { ModelStatus, NodeStatus } from './status.ts'
export { NodeStatusSchema } from './status.ts'
export type { Verifier, VerifierOptions } from './verifier.ts'
export { createVerifier } from './verifier.ts'
export { ADS_PROTOCOL, CHANNEL_PROTOCOL, MEMBERSHIP_PROTOCOL, PROTOCOLS } from './version.ts'
