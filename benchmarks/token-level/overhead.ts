/**
 * Question: what does joint decoding add to a step beyond the slowest participant?
 * Limits: 0.1 ms per step in process and 0.5 ms over loopback streams for 2, 3 and 4 participants (DuetNet's
 * collaborator: 2.0-2.5 ms; its authors' later paper: 0.106 ms in one server); a step message of at most 200 bytes per
 * participant for top-k fusion.
 * Run: npx tsx benchmarks/token-level/overhead.ts [--steps 400] [--rounds 5]
 * Writes benchmarks/results/token-level-overhead.json. Participants answer at once, so that only the coordinator and the
 * messages remain; every participant over loopback is a process of its own. `beyondSlowestMs` is a joint step less a
 * step of the slowest participant asked alone over the same stream (its own time as seen from here); `cpuMs` is the
 * processor time of the coordinator's process for a step, which other load hardly changes. Variants alternate within a
 * round.
 */
import { createFusedSession } from '../../src/interaction/index.ts'
import { encodeFrame } from '../../src/protocol/codec.ts'
import { encodeDecodeResult } from '../../src/protocol/index.ts'
import type { DecodeSession, DistributionKind } from '../../src/resource/index.ts'
import { median, writeResult } from '../support.ts'
import { argument, BYTES, loadFamily, openAll, rounded } from './models.ts'
import { INSTANT, instantModel, startPeers } from './peers.ts'

const steps = argument('steps', 400)
const rounds = argument('rounds', 5)
const KINDS: Readonly<Record<string, DistributionKind>> = { 'top 10 tokens': { kind: 'tokens', top: 10 }, bytes: BYTES }
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
writeResult('token-level-overhead', { overhead, messages })
