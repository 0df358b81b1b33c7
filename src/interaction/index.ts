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
export { createFusedSession, decodeText, FUSION_RULES, fusionRule, isFusionRuleName } from './fusion/index.ts'
export type { Answer, Board, Bound, Decoder, Path, PathwayContext, PathwayEvent } from './pathway/path.ts'
