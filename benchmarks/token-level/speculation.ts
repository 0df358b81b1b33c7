/**
 * Question: does a speculative ensemble of shipped models write exactly what step-by-step fusion writes, with how many
 * round trips, and how much faster is it across a network?
 * Baseline: step-by-step fusion of the same members. Limits: identical text in all of 200 runs, at most a fifth of the
 * round trips where members agree, at least 4 times the bytes per second at 50 ms round-trip time.
 * Run: npx tsx benchmarks/token-level/speculation.ts [--runs 200] [--timed 10]
 * Writes benchmarks/results/token-level-speculation.json. The round-trip time is artificial (a timer before each
 * question to all members but the local lead); the inference is real.
 */
import { createFusedSession, createSpeculativeSession } from '../../src/interaction/index.ts'
import type { DistributionKind } from '../../src/resource/index.ts'
import { median, writeResult } from '../support.ts'
import { argument, BYTES, delayed, type Family, loadFamily, open, rounded, write } from './models.ts'

const runs = argument('runs', 200)
const timed = argument('timed', 10)
const ROUND_TRIP_MS = 50
const TOKENS: DistributionKind = { kind: 'tokens', top: 10 }

const family = await loadFamily()
const pairs = family.names
  .filter(name => name !== 'generalist' && family.names.includes('generalist'))
  .flatMap(name =>
    ['arithmetic-a', 'arithmetic-b', 'geography', 'elements', 'words', 'calendar'].includes(name)
      ? [[name, 'generalist']]
      : [],
  )

interface Pair {
  readonly lead: string
  readonly other: string
  readonly question: string
}

const cases: Pair[] = []
for (let index = 0; cases.length < runs; index++) {
  const [lead = '', other = ''] = pairs[index % pairs.length] ?? []
  const question = (await family.questions(lead))[Math.floor(index / pairs.length)]
  if (question) cases.push({ lead, other, question: question.question })
}

async function fusionOf(family: Family, { lead, other, question }: Pair, kind: DistributionKind, rttMs = 0) {
  const [near, far] = await Promise.all([lead, other].map(name => open(family.model(name), question, kind)))
  if (!near || !far) throw new Error('no sessions')
  return createFusedSession(
    [
      { name: lead, weight: 1, session: near },
      { name: other, weight: 1, session: rttMs > 0 ? delayed(far, rttMs) : far },
    ],
    { lead, lateMs: 10_000 },
  )
}

const figures: Record<string, object> = {}
for (const [label, kind] of [
  ['bytes', BYTES],
  ['tokens', TOKENS],
] as const) {
  let identical = 0
  const ratios: number[] = []
  const agreeing: number[] = []
  for (const one of cases) {
    const plain = await fusionOf(family, one, kind)
    const stepwise = await write(plain)
    const inner = await fusionOf(family, one, kind)
    const speculative = await write(createSpeculativeSession(inner))
    if (stepwise.text === speculative.text) identical++
    // What the other member, across the network, is asked: drafts come from the lead, which is local.
    const ratio = inner.metrics.steps / plain.metrics.steps
    ratios.push(ratio)
    const agreement = Math.min(...plain.metrics.members.map(({ agreed, votes }) => agreed / Math.max(1, votes)))
    if (agreement >= 0.9) agreeing.push(ratio)
  }
  const speeds: { stepwise: number[]; speculative: number[]; gain: number[]; most: number[] } = {
    stepwise: [],
    speculative: [],
    gain: [],
    most: [],
  }
  for (const one of cases.slice(0, timed)) {
    const plain = await write(await fusionOf(family, one, kind, ROUND_TRIP_MS))
    const quick = await write(createSpeculativeSession(await fusionOf(family, one, kind, ROUND_TRIP_MS)))
    // Step by step each symbol and the end are a round trip; with drafts of 64 bytes there is one at the least for these.
    speeds.most.push(plain.symbols / Math.ceil((plain.bytes + 1) / 64))
    const [slow = 0, fast = 0] = [plain, quick].map(({ bytes, ms }) => (1000 * bytes) / ms)
    speeds.stepwise.push(slow)
    speeds.speculative.push(fast)
    speeds.gain.push(fast / slow)
  }
  figures[label] = {
    runs: cases.length,
    identicalTexts: identical,
    roundTripsComparedToStepwise: rounded(median(ratios)),
    whereMembersMostlyAgree: { runs: agreeing.length, roundTripsComparedToStepwise: rounded(median(agreeing)) },
    at50msRoundTrip: {
      answers: timed,
      stepwiseBytesPerSecond: rounded(median(speeds.stepwise), 1),
      speculativeBytesPerSecond: rounded(median(speeds.speculative), 1),
      gain: rounded(median(speeds.gain), 2),
      gains: speeds.gain.map(value => rounded(value, 2)),
      /** A text of three symbols can be written three times as fast at most: in one round trip instead of three. */
      mostPossible: speeds.most.map(value => rounded(value, 2)),
      leastWhereFiveArePossible: rounded(Math.min(...speeds.gain.filter((_, at) => (speeds.most[at] ?? 0) >= 5)), 2),
    },
  }
  console.log(label, JSON.stringify(figures[label], null, 1))
}
await family.close()
writeResult('token-level-speculation', { pairs, ...figures })
