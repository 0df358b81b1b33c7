import type { Distribution } from '../protocol/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { DecodeSession } from './language-model.ts'

/** A whole session from its one primitive: `next`, `peek`, `commit` and `draft` are written with `step`. */
export function createDecodeSession(parts: Pick<DecodeSession, 'distribution' | 'step' | 'close'>): DecodeSession {
  const { distribution, step, close } = parts
  const missing = (what: string): ModelNetError =>
    new ModelNetError('PROTOCOL_ERROR', `the session answered a step without the ${what} that was asked for`)
  return {
    distribution,
    step,
    close,
    async next(options) {
      const { distributions } = await step({ next: true }, options)
      const first: Distribution | undefined = distributions?.[0]
      if (!first) throw missing('distribution')
      return first
    },
    async peek(bytes, at, options) {
      const { distributions } = await step(at ? { peek: bytes, at } : { peek: bytes }, options)
      const expected = at ? at.length : bytes.length + 1
      if (distributions && distributions.length > 0 && distributions.length < expected)
        throw new ModelNetError(
          'CONTEXT_OVERFLOW',
          `the context has room for ${distributions.length} of ${expected} places`,
        )
      if (distributions?.length !== expected) throw missing(`${expected} distributions`)
      return distributions
    },
    async commit(bytes, options) {
      if (bytes.length > 0) await step({ commit: bytes }, options)
    },
    async draft(maxBytes, options) {
      const { draft } = await step({ draft: maxBytes }, options)
      if (!draft) throw missing('draft')
      return draft
    },
  }
}
