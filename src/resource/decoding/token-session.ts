import type { DistributionKind } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { DecodeSession } from '../language-model.ts'
import type { TokenModel } from './token-model.ts'

/**
 * A decode session after `prompt` (token ids, chat template already applied) over any model that evaluates tokens:
 * exact next-byte distributions for `bytes`, the best tokens as byte strings for `tokens`.
 */
export async function createTokenSession(
  _model: TokenModel,
  _prompt: readonly number[],
  distribution: DistributionKind,
): Promise<DecodeSession> {
  throw new ModelNetError('UNSUPPORTED', `sessions of kind ${distribution.kind} are being written`)
}
