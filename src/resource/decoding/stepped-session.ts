import type { DecodeResult, DecodeStep, Distribution, DistributionKind, Draft } from '../../protocol/index.ts'
import { MAX_STEP_BYTES } from '../../protocol/index.ts'
import { isModelNetError, ModelNetError } from '../../utils/errors.ts'
import { createDecodeSession } from '../decode-session.ts'
import type { CallOptions, DecodeSession } from '../language-model.ts'

/** A decode session written as one function: `run` does a step, the rest follows. Steps are taken one after another. */
export abstract class SteppedSession implements DecodeSession {
  readonly distribution: DistributionKind
  readonly #methods: DecodeSession
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(distribution: DistributionKind) {
    this.distribution = distribution
    this.#methods = createDecodeSession({
      distribution,
      step: (step, options) => this.step(step, options),
      close: () => this.close(),
    })
  }

  /** Does one step that has been found well-formed. */
  protected abstract run(step: DecodeStep, options: CallOptions): Promise<DecodeResult>
  /** Frees what the session holds; called once, after the step in progress. */
  protected abstract free(): Promise<void>

  step(step: DecodeStep, options: CallOptions = {}): Promise<DecodeResult> {
    const result = this.#last.then(() => {
      if (this.#closed) throw new ModelNetError('INVALID_REQUEST', 'the decode session is closed')
      options.signal?.throwIfAborted()
      checkStep(step)
      return this.run(step, options)
    })
    this.#last = result.catch(() => undefined)
    return result
  }

  next(options?: CallOptions): Promise<Distribution> {
    return this.#methods.next(options)
  }

  peek(bytes: Uint8Array, at?: readonly number[], options?: CallOptions): Promise<readonly Distribution[]> {
    return this.#methods.peek(bytes, at, options)
  }

  commit(bytes: Uint8Array, options?: CallOptions): Promise<void> {
    return this.#methods.commit(bytes, options)
  }

  draft(maxBytes: number, options?: CallOptions): Promise<Draft> {
    return this.#methods.draft(maxBytes, options)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#last
    await this.free()
  }
}

/** Offsets of a peek: as asked, or 0..n. */
export const offsetsOf = (step: DecodeStep): readonly number[] =>
  step.at ?? Array.from({ length: (step.peek?.length ?? 0) + 1 }, (_, index) => index)

/**
 * Drafts until it is done or meets the end of the context, and tells the latter: the draft is then to end where what
 * follows it can still be told, since the text may be longer than what a look ahead has room for.
 */
export async function untilFull(drafting: () => Promise<void>): Promise<{ readonly full: boolean }> {
  try {
    await drafting()
    return { full: false }
  } catch (error) {
    if (isModelNetError(error) && error.code === 'CONTEXT_OVERFLOW') return { full: true }
    throw error
  }
}

/**
 * The distributions of a proposal at its offsets, or those before the first that the context has no room for; none is an
 * overflow. A look ahead must not fail where the text itself would still go on.
 */
export async function asFarAsItGoes<T>(
  offsets: readonly number[],
  placeOf: (offset: number) => T | undefined,
  ask: (place: T) => Promise<Distribution>,
): Promise<readonly Distribution[]> {
  const distributions: Distribution[] = []
  await untilFull(async () => {
    for (const offset of offsets) {
      const place = placeOf(offset)
      if (place === undefined) return
      distributions.push(await ask(place))
    }
  })
  if (distributions.length === 0 && offsets.length > 0)
    throw new ModelNetError('CONTEXT_OVERFLOW', 'the context has no room for any byte of the proposal')
  return distributions
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function checkStep({ commit, peek, at, draft }: DecodeStep): void {
  if ((commit?.length ?? 0) > MAX_STEP_BYTES || (peek?.length ?? 0) > MAX_STEP_BYTES)
    throw new ModelNetError('PAYLOAD_TOO_LARGE', `expected a step of at most ${MAX_STEP_BYTES} bytes`)
  if (at && (!peek || at.some(offset => !Number.isInteger(offset) || offset < 0 || offset > peek.length)))
    throw new ModelNetError('INVALID_REQUEST', 'expected offsets within the peeked bytes')
  if (draft !== undefined && !(Number.isInteger(draft) && draft > 0))
    throw new ModelNetError('INVALID_REQUEST', 'expected a positive number of bytes to draft')
}
