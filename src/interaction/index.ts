/**
 * How models work together: the pathway algebra, strategies, fusion, and the choice of a pathway.
 */
export type { Answer, Board, Bound, Decoder, Path, PathwayContext, PathwayEvent } from './pathway/path.ts'
