import type { DistributionKind } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { type ByteOptions, ByteSession } from './byte-session.ts'
import { CandidateSession } from './candidate-session.ts'
import type { TokenModel } from './token-model.ts'

export interface TokenSessionOptions extends ByteOptions {
  readonly signal?: AbortSignal
}

/**
 * A decode session after `prompt` (token ids, chat template already applied) over any model that evaluates tokens:
 * exact next-byte distributions for `bytes`, the best tokens as byte strings for `tokens`. The prompt is evaluated with
 * the first step. Rejects with INVALID_REQUEST for an empty prompt, CONTEXT_OVERFLOW for one that does not fit, and
 * OVERLOADED when no sequence is free.
 */
export async function createTokenSession(
  model: TokenModel,
  prompt: readonly number[],
  distribution: DistributionKind,
  options: TokenSessionOptions = {},
): Promise<ByteSession | CandidateSession> {
  const { signal } = options
  if (prompt.length === 0) throw new ModelNetError('INVALID_REQUEST', 'expected a prompt of at least one token')
  if (prompt.length >= model.contextLength)
    throw new ModelNetError(
      'CONTEXT_OVERFLOW',
      `the prompt has ${prompt.length} tokens, the context holds ${model.contextLength}`,
    )
  const scores =
    distribution.kind === 'bytes'
      ? ({ kind: 'full' } as const)
      : ({ kind: 'top', count: distribution.top + model.endTokens.size } as const)
  const sequence = await model.openSequence({ scores, ...(signal && { signal }) })
  return distribution.kind === 'bytes'
    ? new ByteSession(model, sequence, prompt, options)
    : new CandidateSession(model, sequence, prompt, distribution.top)
}
