import type { DecodeResult, DecodeStep, Distribution, DistributionKind, Draft } from '../../protocol/index.ts'
import { MAX_STEP_BYTES } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { CallOptions, DecodeSession } from '../language-model.ts'

/** A decode session written as one function: `run` does a step, the rest follows. Steps are taken one after another. */
export abstract class SteppedSession implements DecodeSession {
  abstract readonly distribution: DistributionKind
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  /** Does one step that `checkStep` has found well-formed. */
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

  async next(options?: CallOptions): Promise<Distribution> {
    const { distributions } = await this.step({ next: true }, options)
    return distributions?.[0] ?? missing('a distribution')
  }

  async peek(bytes: Uint8Array, at?: readonly number[], options?: CallOptions): Promise<readonly Distribution[]> {
    const { distributions } = await this.step({ peek: bytes, ...(at && { at }) }, options)
    return distributions ?? missing('distributions')
  }

  async commit(bytes: Uint8Array, options?: CallOptions): Promise<void> {
    await this.step({ commit: bytes }, options)
  }

  async draft(maxBytes: number, options?: CallOptions): Promise<Draft> {
    const { draft } = await this.step({ draft: maxBytes }, options)
    return draft ?? missing('a draft')
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

function missing(what: string): never {
  throw new ModelNetError('PROTOCOL_ERROR', `expected ${what} in the answer to a step`)
}
