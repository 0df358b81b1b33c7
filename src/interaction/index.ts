/**
 * How models work together: the pathway algebra, strategies, fusion, and the choice of a pathway.
 */

export type { AnswerFormat } from './answers/key.ts'
export { finalAnswer, keyOf } from './answers/key.ts'
export type { CalibrationPair, GuaranteeOptions } from './calibration/guarantee.ts'
export { guaranteedThreshold } from './calibration/guarantee.ts'
export type { CascadeOutcome, CascadeRecord } from './calibration/thresholds.ts'
export { learnThresholds, runCascade } from './calibration/thresholds.ts'
export type { Choice } from './choice.ts'
export { choosePathway } from './choice.ts'
export type { AskOptions, Coordinator, CoordinatorComponents } from './coordinator.ts'
export { AUTO, createCoordinator } from './coordinator.ts'
export type { NetworkEmbedder, NetworkEmbedderComponents, NetworkEmbeddings } from './embedding.ts'
export { createNetworkEmbedder } from './embedding.ts'
export type {
  ChooseOptions,
  Competence,
  CompetenceOptions,
  ContrastOptions,
  DecodeTextMetrics,
  DecodeTextOptions,
  DecodeTextPart,
  DeferOptions,
  DeferringSession,
  DuetNetOptions,
  FusedMember,
  FusedSession,
  FusionEvent,
  FusionMetrics,
  FusionOptions,
  FusionRule,
  FusionRuleName,
  GacOptions,
  GatedSession,
  GateOptions,
  LearnOptions,
  MemberMetrics,
  ProxyTuningOptions,
  Span,
  SpanFusionOptions,
  SpeculationMetrics,
  SpeculationOptions,
  SpeculativeSamplingOptions,
  SpeculativeSession,
  Vote,
} from './fusion/index.ts'
export {
  competenceWeights,
  contrast,
  createDeferringSession,
  createFusedSession,
  createGatedSession,
  createSpeculativeSession,
  decodeText,
  duetNet,
  duetNetRaw,
  FUSION_RULES,
  fuseSpans,
  fusionRule,
  gac,
  isFusionRuleName,
  jointTruncation,
  promptLogprob,
  proxyTuning,
  sampleSpeculatively,
} from './fusion/index.ts'
export type { CollaborationGraph, GradeMatrix, GraphOptions, ModelState } from './mutual/collaboration-graph.ts'
export { collaborationGraph } from './mutual/collaboration-graph.ts'
export type { MutualEvaluation } from './mutual/evaluate.ts'
export { evaluateMutually } from './mutual/evaluate.ts'
export { GraphStore } from './mutual/graph-store.ts'
export type { NetworkModelOptions } from './network-model.ts'
export { asLanguageModel } from './network-model.ts'
export type { Answer, Board, Bound, Decoder, Failover, Path, PathwayContext, PathwayEvent } from './pathway/path.ts'
export { printPathway } from './pathway/print.ts'
export type { Arguments, DecoderTerm, Role, Term } from './pathway/term.ts'
export { parseTerm, TermSchema, termJsonSchema } from './pathway/term.ts'
export { parsePathway } from './pathway/text.ts'
export type { Condition, Rule, Strategy, Vocabulary } from './pathway/vocabulary.ts'
export type { AskResult, MemberReport } from './result.ts'
export type { Ballot, Group, Tally } from './rules/tally.ts'
export { logOddsWeight, tally } from './rules/tally.ts'
export { defaultVocabulary, strategies } from './strategies/index.ts'
export type { Trace } from './trace.ts'
export { parseTrace, traceJsonSchema } from './trace.ts'
