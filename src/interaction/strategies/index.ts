import { CONDITIONS } from '../conditions/index.ts'
import { GraphStore } from '../mutual/graph-store.ts'
import type { Strategy, Vocabulary } from '../pathway/vocabulary.ts'
import { byName } from '../pathway/vocabulary.ts'
import { RULES } from '../rules/index.ts'
import { consistency, joint, single, surest, vote, weighted } from './basic.ts'
import { cascade, guaranteed, staircase, verified } from './cascades.ts'
import { abstain, grounded } from './caution.ts'
import { debate, moa, rank, ranked, rankFuse, selfMoa, usc } from './deliberation.ts'
import { dynamic } from './dynamic.ts'
import { p2s, roles, s2p, serial } from './structures.ts'
import { planned } from './tasks.ts'

/** Every strategy that ships. `graph` is what `dynamic` knows of who can improve whom. */
export const strategies = (graph: GraphStore = new GraphStore()): readonly Strategy[] => [
  single,
  vote,
  weighted,
  consistency,
  surest,
  ranked,
  rank,
  usc,
  cascade,
  staircase,
  guaranteed,
  verified,
  serial,
  joint,
  s2p,
  p2s,
  roles,
  debate,
  moa,
  selfMoa,
  rankFuse,
  dynamic(graph),
  planned,
  abstain,
  grounded,
]

/** The names a pathway may use unless the coordinator is given others. */
export const defaultVocabulary = (graph?: GraphStore): Vocabulary => ({
  rules: byName(RULES),
  conditions: byName(CONDITIONS),
  strategies: byName(strategies(graph)),
})
