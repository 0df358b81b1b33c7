import type { Condition } from '../pathway/vocabulary.ts'
import { agree, confident, consensus, parsed, sure } from './agreement.ts'
import { approved, compete, cooperate, grounded } from './judged.ts'

/** Every condition that `?{…}` and `loop` know. */
export const CONDITIONS: readonly Condition[] = [
  sure,
  agree,
  consensus,
  parsed,
  confident,
  approved,
  cooperate,
  compete,
  grounded,
]
