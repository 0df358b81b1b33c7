import type { Rule } from '../pathway/vocabulary.ts'
import { any, best, first, surest } from './simple.ts'
import { vote, weighted } from './vote.ts'

/** Every rule that `!` and `pick` know. */
export const RULES: readonly Rule[] = [vote, weighted, first, best, surest, any]
