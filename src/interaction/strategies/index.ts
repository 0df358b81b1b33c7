import { CONDITIONS } from '../conditions/index.ts'
import type { Strategy, Vocabulary } from '../pathway/vocabulary.ts'
import { byName } from '../pathway/vocabulary.ts'
import { RULES } from '../rules/index.ts'
import { consistency, fuse, single, vote, weighted } from './basic.ts'

/** Every strategy that ships. */
export const STRATEGIES: readonly Strategy[] = [single, vote, weighted, consistency, fuse]

/** The names a pathway may use unless the coordinator is given others. */
export const defaultVocabulary = (): Vocabulary => ({
  rules: byName(RULES),
  conditions: byName(CONDITIONS),
  strategies: byName(STRATEGIES),
})
