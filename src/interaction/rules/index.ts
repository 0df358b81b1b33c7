import type { Rule } from '../pathway/vocabulary.ts'
import { borda, rank, top, usc } from './judged.ts'
import { all, any, best, first, surest, unknown } from './simple.ts'
import { vote, weighted } from './vote.ts'

/** Every rule that `!` and `pick` know. */
export const RULES: readonly Rule[] = [vote, weighted, rank, top, borda, usc, first, best, surest, any, all, unknown]
