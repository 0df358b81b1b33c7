/**
 * Question: what does joint decoding add to a step beyond the slowest participant, and how much longer does a joint
 * answer take than its slowest member needs for the same text?
 * Limits: 0.1 ms per step in process and 0.5 ms over loopback streams for 2, 3 and 4 participants (DuetNet's
 * collaborator: 2.0-2.5 ms; its authors' later paper: 0.106 ms in one server); 1.15 times the slowest member (theirs
 * 1.7); a step message of at most 200 bytes per participant for top-k fusion.
 * Run: npx tsx benchmarks/token-level/overhead.ts [--steps 400] [--rounds 5] [--answers 20]
 * Writes benchmarks/results/token-level-overhead.json. Overhead: participants answer at once, so that only the
 * coordinator and the messages remain; every participant over loopback is a process of its own. Answers: shipped models,
 * one process each; variants alternate within a round.
 */
import { createFusedSession } from '../../src/interaction/index.ts'
import { encodeFrame } from '../../src/protocol/codec.ts'
import { encodeDecodeResult } from '../../src/protocol/index.ts'
import type { DecodeSession, DistributionKind, LanguageModel } from '../../src/resource/index.ts'
import { median, writeResult } from '../support.ts'
import { argument, BYTES, loadFamily, rounded, write } from './models.ts'
import { INSTANT, instantModel, startPeers } from './peers.ts'

const steps = argument('steps', 400)
const rounds = argument('rounds', 5)
const answers = argument('answers', 20)
const KINDS: Readonly<Record<string, DistributionKind>> = { 'top 10 tokens': { kind: 'tokens', top: 10 }, bytes: BYTES }
const request = { messages: [{ role: 'user', content: 'What is 34 + 58?' }] } as const

const openAll = (models: readonly LanguageModel[], distribution: DistributionKind): Promise<DecodeSession[]> =>
  Promise.all(
    models.map(model => {
      if (!model.open) throw new Error('expected decode sessions')
      return model.open(request, { distribution })
    }),
  )

const fusionOf = (sessions: readonly DecodeSession[]) =>
  createFusedSession(
    sessions.map((session, index) => ({ name: `m${index}`, weight: 1, session })),
    { lateMs: 10_000 },
  )

/** Median ms of a step that commits and asks, and the time a tenth of the steps undercut: what a busy machine hides. */
async function stepTime(
  models: readonly LanguageModel[],
  kind: DistributionKind,
): Promise<{ readonly median: number; readonly p10: number }> {
  const session = fusionOf(await openAll(models, kind))
  const times: number[] = []
  for (let step = 0; step < steps; step++) {
    const started = performance.now()
    await session.step({ commit: Uint8Array.of(97), next: true })
    times.push(performance.now() - started)
  }
  await session.close()
  times.sort((a, b) => a - b)
  return { median: median(times), p10: times[Math.floor(times.length / 10)] ?? Number.NaN }
}

const overhead: Record<string, object> = {}
const instants = Array.from({ length: 4 }, instantModel)
const peers = await startPeers(Array.from({ length: 4 }, () => INSTANT))
for (const [label, kind] of Object.entries(KINDS)) {
  const rows = new Map<string, { readonly median: number; readonly p10: number }[]>()
  for (let round = -1; round < rounds; round++)
    for (const count of round % 2 ? [4, 3, 2] : [2, 3, 4])
      for (const [where, models] of Object.entries({ 'in process': instants, loopback: peers.models })) {
        const time = await stepTime(models.slice(0, count), kind)
        const row = `${count} participants, ${where}`
        if (round >= 0) rows.set(row, [...(rows.get(row) ?? []), time]) // the first round warms up
      }
  overhead[label] = Object.fromEntries(
    [...rows].map(([row, times]) => [
      row,
      {
        medianMs: rounded(median(times.map(time => time.median)), 4),
        p10Ms: rounded(median(times.map(time => time.p10)), 4),
        rounds: times.map(time => rounded(time.median, 4)),
      },
    ]),
  )
  console.log(label, JSON.stringify(overhead[label], null, 1))
}
await peers.close()

/** Time a member alone needs to be led through the text symbol by symbol. */
async function led(model: LanguageModel, text: Uint8Array): Promise<number> {
  const [session] = await openAll([model], BYTES)
  if (!session) return 0
  await session.next()
  const started = performance.now()
  for (const byte of text) await session.step({ commit: Uint8Array.of(byte), next: true })
  const ms = performance.now() - started
  await session.close()
  return ms
}

const names = (process.env['MEMBERS'] ?? 'arithmetic-a,generalist').split(',')
const real = await startPeers(names)
const ratios: number[] = []
const jointMs: number[] = []
const slowestMs: number[] = []
for (let index = 0; index < answers; index++) {
  const session = fusionOf(await openAll(real.models, BYTES))
  await session.next()
  const { text, ms } = await write(session)
  const bytes = new TextEncoder().encode(text)
  const members = []
  for (const model of real.models) members.push(await led(model, bytes))
  jointMs.push(ms)
  slowestMs.push(Math.max(...members))
  ratios.push(ms / Math.max(...members))
}
await real.close()
const equalLength = {
  members: names,
  answers,
  medianRatioToSlowestMember: rounded(median(ratios)),
  medianJointMs: rounded(median(jointMs), 2),
  medianSlowestMemberMs: rounded(median(slowestMs), 2),
  ratios: ratios.map(value => rounded(value, 2)),
}
console.log(JSON.stringify(equalLength))

/** Bytes of a reply with ten candidates of a shipped model, and of the question with what was committed. */
const family = await loadFamily(['arithmetic-a', 'generalist', 'geography', 'words', 'elements'])
const replies: Record<string, number[]> = {}
const questions: number[] = []
for (const name of family.names)
  for (const { question } of await family.questions(name, 20)) {
    const session = await family
      .model(name)
      .open?.({ messages: [{ role: 'user', content: question }] }, { distribution: { kind: 'tokens', top: 10 } })
    if (!session) continue
    let commit: Uint8Array | undefined
    for (let step = 0; step < 16; step++) {
      const result = await session.step(commit ? { commit, next: true } : { next: true })
      const [distribution] = result.distributions ?? []
      if (distribution?.kind !== 'tokens') break
      const frame = { type: 'part', call: 100, value: encodeDecodeResult(result) }
      replies[name] ??= []
      replies[name]?.push(encodeFrame(frame).length)
      const best = distribution.candidates[0]
      if (!best || best.logprob < distribution.end) break
      commit = best.bytes
      questions.push(encodeFrame({ type: 'part', call: 100, value: { commit, next: true } }).length)
    }
    await session.close()
  }
await family.close()
const messages = {
  questionBytes: { median: median(questions), most: Math.max(...questions) },
  replyBytesWithTop10: Object.fromEntries(
    Object.entries(replies).map(([name, sizes]) => [name, { median: median(sizes), most: Math.max(...sizes) }]),
  ),
}
console.log(JSON.stringify(messages, null, 1))
writeResult('token-level-overhead', { overhead, equalLength, messages })
