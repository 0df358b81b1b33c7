/**
 * How models work together: the pathway algebra, strategies, fusion, and the choice of a pathway.
 */
export type {
  ChooseOptions,
  DecodeTextMetrics,
  DecodeTextOptions,
  DecodeTextPart,
  FusedMember,
  FusedSession,
  FusionEvent,
  FusionMetrics,
  FusionOptions,
  FusionRule,
  FusionRuleName,
  LearnOptions,
  MemberMetrics,
  Vote,
} from './fusion/index.ts'
export {
  createFusedSession,
  decodeText,
  duetNet,
  duetNetRaw,
  FUSION_RULES,
  fusionRule,
  isFusionRuleName,
  jointTruncation,
} from './fusion/index.ts'
export type { Answer, Board, Bound, Decoder, Path, PathwayContext, PathwayEvent } from './pathway/path.ts'
