/**
 * Question: what does joint decoding add to a step beyond the slowest participant, and how much longer does a joint
 * answer take than its slowest member needs for the same text?
 * Limits: 0.1 ms per step in process and 0.5 ms over loopback streams for 2, 3 and 4 participants (DuetNet's
 * collaborator: 2.0-2.5 ms; its authors' later paper: 0.106 ms in one server); 1.15 times the slowest member (theirs
 * 1.7); a step message of at most 200 bytes per participant for top-k fusion.
 * Run: npx tsx benchmarks/token-level/overhead.ts [--steps 400] [--rounds 5] [--answers 20]
 * Writes benchmarks/results/token-level-overhead.json. Overhead: participants answer at once, so that only the
 * coordinator and the messages remain; every participant over loopback is a process of its own. `beyondSlowestMs` is a
 * joint step less a step of the slowest participant asked alone over the same stream (its own time as seen from here);
 * `cpuMs` is the processor time of the coordinator's process for a step, which other load hardly changes. Answers:
 * shipped models, one process each, written as the product does (asked ahead along drafts) and step by step; the members
 * are led through the same text alone, and generate freely, whose time is scaled to the same length. Variants alternate
 * within a round.
 */
import { createFusedSession, createSpeculativeSession } from '../../src/interaction/index.ts'
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

interface StepTime {
  readonly median: number
  /** A tenth of the steps are quicker: what a busy machine hides. */
  readonly p10: number
  /** Of this process, each step. */
  readonly cpu: number
}

/** Of a step that commits and asks, in ms. */
async function stepTime(session: DecodeSession): Promise<StepTime> {
  const times: number[] = []
  const before = process.cpuUsage()
  for (let step = 0; step < steps; step++) {
    const started = performance.now()
    await session.step({ commit: Uint8Array.of(97), next: true })
    times.push(performance.now() - started)
  }
  const { user, system } = process.cpuUsage(before)
  await session.close()
  times.sort((a, b) => a - b)
  return {
    median: median(times),
    p10: times[Math.floor(times.length / 10)] ?? Number.NaN,
    cpu: (user + system) / 1000 / steps,
  }
}

const overhead: Record<string, object> = {}
const instants = Array.from({ length: 4 }, instantModel)
const peers = await startPeers(Array.from({ length: 4 }, () => INSTANT))
const PLACES = { 'in process': instants, loopback: peers.models }
for (const [label, kind] of Object.entries(KINDS)) {
  const alone = new Map<string, StepTime[]>()
  const joint = new Map<string, StepTime[]>()
  const add = (rows: Map<string, StepTime[]>, row: string, time: StepTime): void =>
    void rows.set(row, [...(rows.get(row) ?? []), time])
  for (let round = -1; round < rounds; round++)
    for (const [where, models] of Object.entries(PLACES)) {
      const single: StepTime[] = []
      for (const session of await openAll(models, kind)) single.push(await stepTime(session))
      const slowest = single.reduce((a, b) => (b.median > a.median ? b : a))
      if (round >= 0) add(alone, where, slowest) // the first round warms up
      for (const count of round % 2 ? [4, 3, 2] : [2, 3, 4]) {
        const time = await stepTime(fusionOf(await openAll(models.slice(0, count), kind)))
        if (round >= 0) add(joint, `${count} participants, ${where}`, time)
      }
    }
  const of = (times: readonly StepTime[], of: keyof StepTime): number => median(times.map(time => time[of]))
  overhead[label] = Object.fromEntries(
    [...joint].map(([row, times]) => {
      const own = alone.get(row.split(', ')[1] ?? '') ?? []
      return [
        row,
        {
          beyondSlowestMs: rounded(of(times, 'median') - of(own, 'median'), 4),
          p10BeyondSlowestMs: rounded(of(times, 'p10') - of(own, 'p10'), 4),
          slowestAloneMs: rounded(of(own, 'median'), 4),
          medianMs: rounded(of(times, 'median'), 4),
          p10Ms: rounded(of(times, 'p10'), 4),
          cpuMs: rounded(of(times, 'cpu'), 4),
          rounds: times.map(time => rounded(time.median, 4)),
        },
      ]
    }),
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

/** Time a member needs for so many bytes of an answer of its own, whatever it says. */
async function generated(model: LanguageModel, bytes: number): Promise<number> {
  const started = performance.now()
  let written = 0
  for await (const part of model.generate({ ...request, maxTokens: 64 }))
    if (part.type === 'text-delta') written += Buffer.byteLength(part.text)
  return ((performance.now() - started) * bytes) / Math.max(1, written)
}

const append = (series: Record<string, number[]>, name: string, value: number): void => {
  series[name] = [...(series[name] ?? []), value]
}

const names = (process.env['MEMBERS'] ?? 'arithmetic-a,generalist').split(',')
const real = await startPeers(names)
const ratios: Record<string, number[]> = {}
const times: Record<string, number[]> = {}
for (let index = -1; index < answers; index++) {
  const ms: Record<string, number> = {}
  let text = ''
  for (const way of index % 2 ? ['asked ahead', 'step by step'] : ['step by step', 'asked ahead']) {
    const fused = fusionOf(await openAll(real.models, BYTES))
    await fused.next() // the prompt is read by all
    const written = await write(way === 'asked ahead' ? createSpeculativeSession(fused) : fused)
    ms[way] = written.ms
    text = written.text
  }
  const bytes = new TextEncoder().encode(text)
  const slowest = async (time: (model: LanguageModel) => Promise<number>): Promise<number> => {
    const each: number[] = []
    for (const model of real.models) each.push(await time(model))
    return Math.max(...each)
  }
  const alone = {
    'slowest member led through the text': await slowest(model => led(model, bytes)),
    'slowest member generating': await slowest(model => generated(model, bytes.length)),
  }
  if (index < 0) continue // warm up
  for (const [name, value] of Object.entries({ ...ms, ...alone })) append(times, name, value)
  for (const [way, value] of Object.entries(ms))
    for (const [name, own] of Object.entries(alone)) append(ratios, `${way} / ${name}`, value / own)
}
await real.close()
const mediansOf = (series: Readonly<Record<string, readonly number[]>>) =>
  Object.fromEntries(Object.entries(series).map(([name, values]) => [name, rounded(median([...values]), 2)]))
const equalLength = {
  members: names,
  answers,
  medianRatios: mediansOf(ratios),
  medianMs: mediansOf(times),
  ratios: Object.fromEntries(
    Object.entries(ratios).map(([name, each]) => [name, each.map(value => rounded(value, 2))]),
  ),
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
