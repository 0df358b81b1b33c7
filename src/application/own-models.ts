import { MAX_CARDS_PER_NODE } from '../protocol/index.ts'
import {
  type Admission,
  CARD_LIFETIME_S,
  type LanguageModel,
  type LoadedModel,
  type ModelCard,
  type ModelRunner,
  selfTest,
  withAdmission,
} from '../resource/index.ts'
import type { Clock } from '../utils/clock.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { Logger } from '../utils/logger.ts'
import type { Engines } from './engines.ts'
import { loadModels, type ModelPlan } from './local-models.ts'
import type { Subjects } from './network-schema.ts'

/** The models of this node; they may come and go while it runs. */
export interface OwnModels extends ModelRunner {
  /** All that can be asked now: those that are being stopped still answer. */
  list(): readonly LanguageModel[]
  /** The same, each call taking its place among those of peers: how this node itself asks them. */
  admitted(): readonly LanguageModel[]
  /** What the others are told. */
  cards(): readonly ModelCard[]
  /** Loads and tests the configured models, before anybody is told. Rejects with the error of the first that fails. */
  load(plans: readonly ModelPlan[], signal?: AbortSignal): Promise<void>
  /** Those that are answering now, or have calls waiting. */
  busy(): readonly ModelCard[]
  /** Tells the cards whenever they change, and issues them anew in time. */
  announceWith(announce: (cards: readonly ModelCard[]) => Promise<void>): void
  close(): Promise<void>
}

export interface OwnModelsComponents {
  readonly engines: Pick<Engines, 'get'>
  /** Id of this node, for the cards. */
  readonly node: string
  readonly admission: Admission
  /** Who may use a model, for its card. @default everyone */
  readonly allowed?: (id: string) => Subjects | undefined
  readonly clock: Clock
  readonly logger: Logger
}

interface OwnModel {
  readonly loaded: LoadedModel
  /** With what was seen to work, and a card that is renewed. */
  model: LanguageModel
  admitted: LanguageModel
  usedAt: number
  /** False once it is being stopped. */
  offered: boolean
}

/** Others go on asking for so long after they could have heard that a model is gone. */
const STOP_GRACE_MS = 1000
/** Running calls are cut after this. */
const MAX_STOP_MS = 60_000
const BUSY_CHECK_MS = 50
/** A quarter of its life: three more tries before it expires. By the calendar, as a machine may sleep meanwhile. */
const REISSUE_S: number = CARD_LIFETIME_S / 4
const REISSUE_CHECK_MS = 60_000

export function createOwnModels(components: OwnModelsComponents): OwnModels {
  const { engines, node, admission, allowed = () => undefined, clock, logger } = components
  const models = new Map<string, OwnModel>()
  /** Starts and stops of one model follow one another. */
  const changing = new Map<string, Promise<void>>()
  const closing = new AbortController()
  let announce: ((cards: readonly ModelCard[]) => Promise<void>) | undefined
  let telling: Promise<void> = Promise.resolve()

  const cards = (): readonly ModelCard[] =>
    [...models.values()].filter(({ offered }) => offered).map(({ model }) => model.card)

  const tell = (): Promise<void> => {
    const told = telling.then(() => announce?.(cards()))
    telling = told.catch(() => undefined)
    return told
  }

  const busy = ({ model }: OwnModel): boolean => {
    const { running, queued } = admission.status(model.card)
    return running + queued > 0
  }

  const admit = (model: LanguageModel): LanguageModel => withAdmission(model, admission, 'local')

  /** The card says who it is for, so that others need not ask to be refused. For nobody is for this node only. */
  const limited = (model: LanguageModel): LanguageModel => {
    const allow = allowed(model.card.id)
    if (!allow) return model
    return { ...model, card: { ...model.card, allow: allow.length > 0 ? allow : [node] } }
  }

  const keep = (loaded: LoadedModel, verified: LanguageModel): void => {
    const touch = (): void => {
      own.usedAt = clock.monotonic()
    }
    const model = withUse(limited(verified), touch)
    const own: OwnModel = { loaded, model, admitted: admit(model), usedAt: clock.monotonic(), offered: true }
    models.set(verified.card.id, own)
  }

  const verify = (loaded: LoadedModel, signal?: AbortSignal): Promise<LanguageModel> =>
    selfTest(loaded, { clock, logger, ...(signal && { signal }) })

  const loadAll = async (plans: readonly ModelPlan[], signal?: AbortSignal): Promise<void> => {
    const loaded = await loadModels(plans, engines.get, { node, ...(signal && { signal }) })
    try {
      const verified = await Promise.all(loaded.map(model => verify(model, signal)))
      for (const [index, model] of loaded.entries()) keep(model, verified[index] ?? model)
    } catch (error) {
      await Promise.allSettled(loaded.map(model => model.close()))
      throw error
    }
  }

  const change = (id: string, work: () => Promise<void>): Promise<void> => {
    const changed = (changing.get(id) ?? Promise.resolve()).then(work)
    const settled = changed.catch(() => undefined)
    changing.set(id, settled)
    void settled.then(() => changing.get(id) === settled && changing.delete(id))
    return changed
  }

  const stop = async (id: string): Promise<void> => {
    const own = models.get(id)
    if (!own) return
    own.offered = false
    await tell()
    const since = clock.monotonic()
    await clock.sleep(STOP_GRACE_MS, closing.signal)
    while (busy(own) && clock.monotonic() - since < MAX_STOP_MS) await clock.sleep(BUSY_CHECK_MS, closing.signal)
    models.delete(id)
    await own.loaded.close()
  }

  const reissue = async (): Promise<void> => {
    const now = Math.floor(clock.now() / 1000)
    const due = [...models.values()].filter(({ model }) => now - model.card.issuedAt >= REISSUE_S)
    if (due.length === 0) return
    for (const own of due) {
      own.model = { ...own.model, card: { ...own.model.card, issuedAt: now, expiresAt: now + CARD_LIFETIME_S } }
      own.admitted = admit(own.model)
    }
    await tell()
    logger.debug({ models: due.length }, 'cards were issued anew')
  }

  const keepIssuing = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await clock.sleep(REISSUE_CHECK_MS, closing.signal)
      await reissue().catch(error => logger.warn({ reason: String(error) }, 'cards were not issued anew'))
    }
  }

  return {
    list: () => [...models.values()].map(({ model }) => model),
    admitted: () => [...models.values()].map(({ admitted }) => admitted),
    cards,
    busy: () => [...models.values()].filter(busy).map(({ model }) => model.card),
    load: loadAll,
    announceWith(tellOthers) {
      announce = tellOthers
      keepIssuing().catch(() => undefined) // closing
    },
    isRunning: id => models.get(id)?.offered === true,
    start: (spec, signal) =>
      change(spec.id, async () => {
        if (models.size >= MAX_CARDS_PER_NODE)
          throw new ModelNetError('OVERLOADED', `this node offers ${models.size} models already`)
        await loadAll([{ engine: 'llama.cpp', spec }], signal)
        await tell()
      }),
    stop: id => change(id, () => stop(id)),
    idleMs(id) {
      const own = models.get(id)
      if (own && busy(own)) own.usedAt = clock.monotonic()
      return own ? clock.monotonic() - own.usedAt : 0
    },
    calls: () =>
      [...models.values()]
        .map(({ model }) => admission.status(model.card))
        .reduce((sum, { running, queued }) => sum + running + queued, 0),
    async close() {
      closing.abort(new ModelNetError('CANCELLED', 'this node is closing'))
      await telling
    },
  }
}

/** The same model; tells when a call begins and when it ends. */
function withUse(model: LanguageModel, touch: () => void): LanguageModel {
  const { open, score, embed } = model
  const during = async <T>(work: Promise<T>): Promise<T> => {
    touch()
    try {
      return await work
    } finally {
      touch()
    }
  }
  return {
    card: model.card,
    async *generate(request, options) {
      touch()
      try {
        yield* model.generate(request, options)
      } finally {
        touch()
      }
    },
    ...(open && { open: (request, options) => during(open.call(model, request, options)) }),
    ...(score && { score: (request, options) => during(score.call(model, request, options)) }),
    ...(embed && { embed: (request, options) => during(embed.call(model, request, options)) }),
  }
}
