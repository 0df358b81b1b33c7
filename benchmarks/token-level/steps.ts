/**
 * Question: does a step of a decode session cost the same after a long prompt, how many evaluations does the exact
 * next-byte distribution need, and how many candidates does a step of DuetNet align?
 * Limits: a step after a 1,000-token prompt within 10 % of one after 100 tokens; at most 2.6 candidates per step for two
 * models at DuetNet's defaults (K = 10, P = 0.75).
 * Run: npx tsx benchmarks/token-level/steps.ts [--steps 300] [--rounds 7] [--questions 40]
 * Writes benchmarks/results/token-level-steps.json. Prompts are made of held-out questions; the context of the model is
 * widened for this, which costs the same whatever the model makes of it. Variants alternate within a round.
 */
import { ByteSession } from '../../src/resource/decoding/byte-session.ts'
import { CandidateSession } from '../../src/resource/decoding/candidate-session.ts'
import type { DecodeSession, DistributionKind } from '../../src/resource/index.ts'
import { median, writeResult } from '../support.ts'
import { argument, BYTES, fuse, loadFamily, open, rounded, write } from './models.ts'

const steps = argument('steps', 300)
const rounds = argument('rounds', 7)
const count = argument('questions', 40)
const TOKENS: DistributionKind = { kind: 'tokens', top: 10 }

const wide = await loadFamily(['words'], { contextLength: 2048 })
// The model `words` has one token per byte, so that the length of a prompt in tokens is known.
const text = (await wide.questions('words')).map(({ question }) => question).join(' ')
const stepCost: Record<string, object> = {}
for (const [label, kind] of Object.entries({ bytes: BYTES, 'top 10 tokens': TOKENS })) {
  const times: Record<100 | 1000, { median: number[]; p10: number[] }> = {
    100: { median: [], p10: [] },
    1000: { median: [], p10: [] },
  }
  for (let round = -1; round < rounds; round++)
    for (const length of round % 2 ? ([1000, 100] as const) : ([100, 1000] as const)) {
      const session = await open(wide.model('words'), text.slice(0, length), kind)
      await session.next()
      const each: number[] = []
      for (let step = 0; step < steps; step++) {
        const started = performance.now()
        await session.step({ commit: Uint8Array.of(97 + (step % 26)), next: true })
        each.push(performance.now() - started)
      }
      await session.close()
      if (round < 0) continue // warm up
      each.sort((a, b) => a - b)
      times[length].median.push(median(each))
      times[length].p10.push(each[Math.floor(each.length / 10)] ?? Number.NaN)
    }
  const of = (length: 100 | 1000) => ({
    medianMs: rounded(median(times[length].median), 4),
    p10Ms: rounded(median(times[length].p10), 4),
    rounds: times[length].median.map(value => rounded(value, 4)),
  })
  stepCost[label] = {
    after100Tokens: of(100),
    after1000Tokens: of(1000),
    ratio: rounded(median(times[1000].median) / median(times[100].median)),
    ratioOfLeastDisturbed: rounded(median(times[1000].p10) / median(times[100].p10)),
  }
  console.log(label, JSON.stringify(stepCost[label], null, 1))
}
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
