/**
 * Question: does a step of a decode session cost the same after a long prompt, how many evaluations does the exact
 * next-byte distribution need, and how many candidates does a step of DuetNet align?
 * Limits: a step after a 1,000-token prompt within 10 % of one after 100 tokens; at most 2.6 candidates per step for two
 * models at DuetNet's defaults (K = 10, P = 0.75).
 * Run: npx tsx benchmarks/token-level/steps.ts [--steps 300] [--rounds 7] [--questions 40]
 * Writes benchmarks/results/token-level-steps.json. Prompts are made of held-out questions; the context of the model is
 * widened for this, which costs the same whatever the model makes of it. Variants alternate within a round. Each step is
 * split into the engine's evaluation and what a decode session adds. In a model of a million weights attention to a long
 * context is most of the engine's work whatever the cache (`caches`); the limit is about models whose weights are, for
 * which an untrained model with the proportions of Llama 3.2 1B stands, written to a temporary folder.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { ByteSession } from '../../src/resource/decoding/byte-session.ts'
import { CandidateSession } from '../../src/resource/decoding/candidate-session.ts'
import type { DecodeSession, DistributionKind } from '../../src/resource/index.ts'
import { createLlamaCppEngine } from '../../src/resource/index.ts'
import { writeResult } from '../support.ts'
import { argument, BYTES, fuse, loadFamily, open, rounded, write } from './models.ts'
import { EIGHTH_OF_LLAMA_1B, writeRandomModel } from './random-model.ts'
import { cacheCost, stepCost, watchEngine } from './step-cost.ts'

const steps = argument('steps', 300)
const rounds = argument('rounds', 7)
const count = argument('questions', 40)
const TOKENS: DistributionKind = { kind: 'tokens', top: 10 }

const small = await loadFamily(['words'], { contextLength: 2048 })
const text = (await small.questions('words')).map(({ question }) => question).join(' ')
const timing = { text, steps, rounds }
const words = join(shippedModelsDirectory(), 'words', 'words.gguf')
const caches = await cacheCost(words, { ...timing, kind: TOKENS })
console.log(JSON.stringify(caches, null, 1))

watchEngine()
const stepCosts: Record<string, object> = {}
for (const [label, kind] of Object.entries({ bytes: BYTES, 'top 10 tokens': TOKENS })) {
  stepCosts[`words (0.8 million weights), ${label}`] = await stepCost(small.model('words'), { ...timing, kind })
  console.log(label, JSON.stringify(stepCosts, null, 1))
}
await small.close()

const folder = mkdtempSync(join(tmpdir(), 'modelnet-steps-'))
const engine = createLlamaCppEngine()
try {
  const file = join(folder, 'eighth.gguf')
  const weights = await writeRandomModel(file, words, EIGHTH_OF_LLAMA_1B)
  const model = await engine.load({ id: 'eighth', file, contextLength: 2048 }, { node: 'local' })
  const slow = { ...timing, kind: TOKENS, steps: Math.ceil(steps / 10) }
  const label = `an eighth of Llama 3.2 1B, untrained (${Math.round(weights / 1e6)} million weights), top 10 tokens`
  stepCosts[label] = await stepCost(model, slow)
  console.log(JSON.stringify(stepCosts[label], null, 1))
} finally {
  await engine.close()
  rmSync(folder, { recursive: true })
}

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
writeResult('token-level-steps', { stepCosts, caches, evaluations, candidatesAlignedPerStep: aligned })

/** Sessions of this process tell what they evaluated. */
function countsOf(session: DecodeSession): { readonly tokens: number; readonly healed?: number } {
  if (session instanceof ByteSession || session instanceof CandidateSession) return session.counts
  throw new Error('expected a session of this process')
}
