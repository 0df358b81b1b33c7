/**
 * Question: does a step of a decode session cost the same after a long prompt, how many evaluations does the exact
 * next-byte distribution need, and how many candidates does a step of DuetNet align?
 * Limits: a step after a 1,000-token prompt within 10 % of one after 100 tokens; at most 2.6 candidates per step for two
 * models at DuetNet's defaults (K = 10, P = 0.75).
 * Run: npx tsx benchmarks/token-level/steps.ts [--steps 300] [--rounds 7] [--questions 40]
 * Writes benchmarks/results/token-level-steps.json. Prompts are made of held-out questions; the context of the model is
 * widened for this, which costs the same whatever the model makes of it. Variants alternate within a round. The engine's
 * own step is measured beside: attention to a longer context is work of the model, and most of the work of a tiny one;
 * `beyondTheEngine` is what a decode session adds to it at each length.
 */
import { getLlama, LlamaLogLevel, type Token } from 'node-llama-cpp'
import { ByteSession } from '../../src/resource/decoding/byte-session.ts'
import { CandidateSession } from '../../src/resource/decoding/candidate-session.ts'
import type { DecodeSession, DistributionKind } from '../../src/resource/index.ts'
import { median, writeResult } from '../support.ts'
import { argument, BYTES, fuse, loadFamily, open, rounded, write } from './models.ts'

const steps = argument('steps', 300)
const rounds = argument('rounds', 7)
const count = argument('questions', 40)
const TOKENS: DistributionKind = { kind: 'tokens', top: 10 }

const LENGTHS = [100, 1000] as const
type Step = (index: number) => Promise<unknown>

const wide = await loadFamily(['words'], { contextLength: 2048 })
// The model `words` has one token per byte, so that the length of a prompt in tokens is known.
const text = (await wide.questions('words')).map(({ question }) => question).join(' ')

/** A step of the engine without a session: one token in, what is asked of the scores out. */
async function bareSteps(length: number, kind: DistributionKind): Promise<{ step: Step; close(): Promise<void> }> {
  const sequence = bare.getSequence()
  const tokens = bareModel.tokenize(text.slice(0, length))
  for (let at = 0; at < tokens.length; at += 256) await sequence.controlledEvaluate(tokens.slice(at, at + 256))
  const letters = bareModel.tokenize('abcdefghijklmnopqrstuvwxyz')
  const generateNext =
    kind.kind === 'bytes'
      ? { logits: true as const }
      : { logits: { filter: { tokens: [], includeTop: kind.top } }, totalLogitWeight: true as const }
  return {
    step: index => sequence.controlledEvaluate([[letters[index % letters.length] as Token, { generateNext }]]),
    close: async () => sequence.dispose(),
  }
}

async function sessionSteps(length: number, kind: DistributionKind): Promise<{ step: Step; close(): Promise<void> }> {
  const session = await open(wide.model('words'), text.slice(0, length), kind)
  await session.next()
  return {
    step: index => session.step({ commit: Uint8Array.of(97 + (index % 26)), next: true }),
    close: () => session.close(),
  }
}

const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, progressLogs: false })
const bareModel = await llama.loadModel({ modelPath: 'models/words/words.gguf' })
const bare = await bareModel.createContext({
  contextSize: 2056,
  sequences: 4,
  threads: 1,
  flashAttention: false,
  experimentalKvCacheKeyType: 'F32',
  experimentalKvCacheValueType: 'F32',
})
const stepCost: Record<string, object> = {}
for (const [label, kind] of Object.entries({ bytes: BYTES, 'top 10 tokens': TOKENS })) {
  const rows: Record<string, { median: number[]; p10: number[] }> = {}
  for (let round = -1; round < rounds; round++)
    for (const length of round % 2 ? LENGTHS.toReversed() : LENGTHS)
      for (const [who, start] of [
        ['session', sessionSteps],
        ['engine', bareSteps],
      ] as const) {
        const { step, close } = await start(length, kind)
        const each: number[] = []
        for (let index = 0; index < steps; index++) {
          const started = performance.now()
          await step(index)
          each.push(performance.now() - started)
        }
        await close()
        if (round < 0) continue // warm up
        each.sort((a, b) => a - b)
        const { median: medians = [], p10 = [] } = rows[`${who} after ${length} tokens`] ?? {}
        rows[`${who} after ${length} tokens`] = {
          median: [...medians, median(each)],
          p10: [...p10, each[Math.floor(each.length / 10)] ?? Number.NaN],
        }
      }
  const of = (who: string, length: number, what: 'median' | 'p10'): number =>
    median(rows[`${who} after ${length} tokens`]?.[what] ?? [])
  stepCost[label] = {
    ...Object.fromEntries(
      Object.entries(rows).map(([row, { median: medians, p10 }]) => [
        row,
        {
          medianMs: rounded(median(medians), 4),
          p10Ms: rounded(median(p10), 4),
          rounds: medians.map(value => rounded(value, 4)),
        },
      ]),
    ),
    ratio: rounded(of('session', 1000, 'median') / of('session', 100, 'median')),
    ratioOfTheEngine: rounded(of('engine', 1000, 'median') / of('engine', 100, 'median')),
    beyondTheEngineMs: Object.fromEntries(
      LENGTHS.map(length => [length, rounded(of('session', length, 'p10') - of('engine', length, 'p10'), 4)]),
    ),
  }
  console.log(label, JSON.stringify(stepCost[label], null, 1))
}
await bare.dispose()
await wide.close()

const family = await loadFamily()
/** Tokens evaluated after the prompt for exact bytes, for each token of the same answer written with token candidates. */
const evaluations: Record<string, object> = {}
for (const name of family.names) {
  const evaluated = { bytes: 0, tokens: 0, healed: 0, symbols: 0 }
  for (const { question } of await family.questions(name, count)) {
    for (const [label, kind] of Object.entries({ bytes: BYTES, tokens: TOKENS })) {
      const session = await open(family.model(name), question, kind)
      await session.next()
      const before = countsOf(session)
      const { bytes } = await write(session)
      if (label === 'bytes') evaluated.symbols += bytes
      evaluated[label as 'bytes' | 'tokens'] += countsOf(session).tokens - before.tokens
      evaluated.healed += countsOf(session).healed ?? 0
    }
  }
  evaluations[name] = { ...evaluated, perCanonicalToken: rounded(evaluated.bytes / evaluated.tokens) }
  console.log(name, evaluations[name])
}

const aligned: Record<string, object> = {}
for (const name of ['arithmetic-a', 'geography', 'elements', 'words', 'calendar', 'units', 'logic']) {
  if (!family.names.includes(name) || !family.names.includes('generalist')) continue
  const perStep: Record<string, number> = {}
  for (const rule of ['duet', 'unite', 'gac'] as const) {
    let candidates = 0
    let positions = 0
    for (const { question } of await family.questions(name, count)) {
      const distribution: DistributionKind = { kind: 'tokens', top: rule === 'gac' ? 50 : 10 }
      const session = await fuse(family, [name, 'generalist'], question, { rule, learn: false, distribution })
      await write(session)
      candidates += session.metrics.candidates
      positions += session.metrics.positions
    }
    perStep[rule] = rounded(candidates / positions, 2)
  }
  aligned[`${name} + generalist`] = perStep
  console.log(name, perStep)
}
await family.close()
writeResult('token-level-steps', { stepCost, evaluations, candidatesAlignedPerStep: aligned })

/** Sessions of this process tell what they evaluated. */
function countsOf(session: DecodeSession): { readonly tokens: number; readonly healed?: number } {
  if (session instanceof ByteSession || session instanceof CandidateSession) return session.counts
  throw new Error('expected a session of this process')
}
