import { ModelNetError } from '../../../utils/errors.ts'
import type { FusionRule } from '../rule.ts'
import { duetNet, duetNetRaw } from './duetnet.ts'
import { gac } from './gac.ts'
import { maximum } from './maximum.ts'
import { mean } from './mean.ts'
import { product } from './product.ts'
import { robust } from './robust.ts'
import { unite } from './unite.ts'

export type FusionRuleName = 'mean' | 'max' | 'product' | 'robust' | 'gac' | 'unite' | 'duet' | 'duet-raw'

/** Rules that need no parameters, by name; contrast and proxy tuning name their members. */
export const FUSION_RULES: Readonly<Record<FusionRuleName, FusionRule>> = {
  mean,
  max: maximum,
  product,
  robust,
  gac: gac(),
  unite: unite(),
  duet: duetNet(),
  'duet-raw': duetNetRaw(),
}

export const isFusionRuleName = (name: string): name is FusionRuleName => Object.hasOwn(FUSION_RULES, name)

/** Throws INVALID_PATHWAY for a name that is no rule. */
export function fusionRule(name: string): FusionRule {
  if (!isFusionRuleName(name))
    throw new ModelNetError(
      'INVALID_PATHWAY',
      `no fusion rule ${name}; there are ${Object.keys(FUSION_RULES).join(', ')}`,
    )
  return FUSION_RULES[name]
}
