import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Coordinator, NetworkEmbedder } from '../../interaction/index.ts'
import type { Signer } from '../../protocol/index.ts'
import type { EvidenceMap, Matcher, Offer, TaskAnalyser, TextRouter } from '../../service/index.ts'
import { createOnlineRouter, createProber, loadTextRouter, MAX_ARMS } from '../../service/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Logger } from '../../utils/logger.ts'
import type { Random } from '../../utils/random.ts'
import type { NodeConfig } from '../config-schema.ts'
import { createAttestations } from './attestations.ts'
import type { LearnedRouting } from './learned-routing.ts'
import { createLearnedRouting } from './learned-routing.ts'
import { createOutcomeLog } from './outcome-log.ts'
import { createQuestionReader } from './question-reader.ts'

export interface LearningComponents {
  readonly identity: Signer
  readonly offers: () => readonly Offer[]
  readonly matcher: Matcher
  readonly inspect: Coordinator['inspect']
  /** For a router that reads vectors of a model. */
  readonly embed: NetworkEmbedder
  readonly abilities: EvidenceMap
  readonly analyser: TaskAnalyser
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What a node learns from graded answers, and keeps. */
export interface Learning extends Pick<LearnedRouting, 'feedback'> {
  wrap(coordinator: Pick<Coordinator, 'ask'>): Pick<Coordinator, 'ask'>
  readonly attestations: ReturnType<typeof createAttestations>
  close(): Promise<void>
}

const SAVE_EVERY_MS = 60_000

/**
 * Reads what was learned before, and starts to learn: graded answers go into the log, evidence is kept over a restart,
 * and probes are sent at the pace of the configuration. Throws INVALID_CONFIG for a router that cannot be read.
 */
export async function startLearning(
  { identity, offers, matcher, inspect, embed, abilities, analyser, clock, random, logger }: LearningComponents,
  { service, dataDir }: Pick<NodeConfig, 'service' | 'dataDir'>,
): Promise<Learning> {
  const router = service.router === undefined ? undefined : readRouter(service.router)
  const log = createOutcomeLog(join(dataDir, 'outcomes.jsonl'), { maxBytes: service.logBytes, logger })
  const evidence = join(dataDir, 'evidence.json')
  readEvidence(evidence, abilities, logger)
  const routing = createLearnedRouting({
    matcher,
    analyser,
    abilities,
    clock,
    inspect,
    ...(router && { reader: createQuestionReader({ router, embed, clock }, { timeoutMs: service.encoderMs }) }),
    ...(router &&
      router.arms.length <= MAX_ARMS && {
        online: createOnlineRouter(router.arms.length, { random: random.fork('routing') }),
      }),
    onOutcome: outcome => service.logBytes > 0 && log.append(outcome),
  })
  const stop = new AbortController()
  const keeping = keepEvidence(evidence, abilities, { clock, logger, signal: stop.signal })
  const probing = service.probeEveryMs > 0 ? probe() : Promise.resolve()

  async function probe(): Promise<void> {
    // only who probes needs the data sets and graders
    const { createProbeQuestions } = await import('./probe-questions.ts')
    const questions = await createProbeQuestions(service.probeQuestions, secretRandom)
    const prober = createProber({
      offers,
      abilities,
      questions,
      clock,
      logger,
      onOutcome: ({ model, question, score, ms }) =>
        routing.learn({ question, arm: model, score, source: 'probe', at: clock.now(), ms }),
    })
    await prober.run(service.probeEveryMs, stop.signal)
  }
  probing.catch(error => logger.error({ reason: String(error) }, 'no probes are sent'))

  return {
    wrap: routing.wrap,
    feedback: routing.feedback,
    attestations: createAttestations({ identity, abilities, clock }),
    async close() {
      stop.abort(new ModelNetError('CANCELLED', 'this node is closing'))
      await Promise.allSettled([probing, keeping])
      await log.close()
    },
  }
}

/** A peer that could foresee the questions could learn the answers by heart. */
const secretRandom: Random = { next: () => randomInt(2 ** 47) / 2 ** 47, fork: () => secretRandom }

function readRouter(file: string): TextRouter {
  try {
    return loadTextRouter(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ModelNetError('INVALID_CONFIG', `cannot read the router ${file}: ${reason}`, { cause })
  }
}

function readEvidence(file: string, abilities: EvidenceMap, logger: Logger): void {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return // a new node has none
  }
  try {
    abilities.import(JSON.parse(text))
  } catch (error) {
    logger.warn({ file, reason: String(error) }, 'what was learned of models before cannot be read')
  }
}

/** Writes the evidence whenever it has changed, and once more at the end. */
async function keepEvidence(
  file: string,
  abilities: EvidenceMap,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): Promise<void> {
  let written = JSON.stringify(abilities.export())
  const save = async (): Promise<void> => {
    const text = JSON.stringify(abilities.export())
    if (text === written) return
    await mkdir(dirname(file), { recursive: true })
    await writeFile(`${file}.new`, text, { mode: 0o600 })
    await rename(`${file}.new`, file)
    written = text
  }
  while (!signal.aborted) {
    await clock.sleep(SAVE_EVERY_MS, signal).catch(() => undefined) // closing
    await save().catch(error => logger.warn({ file, reason: String(error) }, 'evidence was not written'))
  }
}
