import type { CallOptions, DecodeResult, DecodeSession, DecodeStep } from '../../resource/index.ts'
import { SteppedSession } from '../../resource/index.ts'

/**
 * A session that one model drafts for and another answers for: what is committed reaches both. Without its drafter it
 * drafts for itself. Closing closes both.
 */
export function createDraftedSession(lead: DecodeSession, body: DecodeSession): DecodeSession {
  return new Drafted(lead, body)
}

class Drafted extends SteppedSession {
  readonly #body: DecodeSession
  #lead: DecodeSession | undefined

  constructor(lead: DecodeSession, body: DecodeSession) {
    super(body.distribution)
    this.#lead = lead
    this.#body = body
  }

  protected async run(step: DecodeStep, options: CallOptions): Promise<DecodeResult> {
    const { commit, draft, ...questions } = step
    const told = commit && commit.length > 0 ? { commit } : {}
    const drafting = { ...told, ...(draft === undefined ? {} : { draft }) }
    const asked = Object.keys(questions).length > 0
    const [own, drafted] = await Promise.all([
      asked || 'commit' in told ? this.#body.step({ ...told, ...questions }, options) : undefined,
      Object.keys(drafting).length > 0 ? this.#ask(drafting, options) : undefined,
    ])
    if (draft === undefined) return own ?? {}
    const result = drafted ?? (await this.#body.step({ draft }, options))
    return { ...own, ...(result.draft ? { draft: result.draft } : {}) }
  }

  protected async free(): Promise<void> {
    await Promise.allSettled([this.#body.close(), this.#lead?.close()])
  }

  /** The drafter only saves time: when it fails the text goes on without it. */
  async #ask(step: DecodeStep, options: CallOptions): Promise<DecodeResult | undefined> {
    const lead = this.#lead
    if (!lead) return undefined
    try {
      return await lead.step(step, options)
    } catch {
      options.signal?.throwIfAborted()
      this.#lead = undefined
      await lead.close().catch(() => undefined) // it failed already
      return undefined
    }
  }
}
