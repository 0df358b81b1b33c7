/**
 * Do nodes stay as small as they were under mixed load while others of their network are killed and come back?
 *
 * Five `modelnet serve` processes on this machine: one is asked, two hold models and stay, two hold models and are
 * killed in turn and started again. The load is of every kind: whole answers and streams, streams whose reader goes
 * away, votes, drafted answers, gates, planned questions, wrong requests. Of the processes that stay, and of those
 * that compute for them, resident memory, heap and open files are read every few seconds, and what a full collection
 * leaves every half minute; the first fifth is warm-up.
 * Limit: no slope whose 95 % confidence interval lies above zero and that would add a tenth within a day.
 *
 * Run: npm run build && npx tsx benchmarks/resilience/soak.ts [--minutes 30] [--rate 3] [--seed 1]
 * Takes two minutes more than it is told. Results are written every minute, with how many minutes they are of.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createRandom } from '../../src/utils/random.ts'
import type { NodeProcess } from '../../test/support/processes.ts'
import { writeResult } from '../support.ts'
import { watchLiveHeaps } from './live-heap.ts'
import { nextArrivalMs, quantile } from './node.ts'
import { isServing, type Place, startProcessNetwork } from './process-network.ts'
import { type Sample, type Slope, slopeOf } from './slope.ts'

const MODELS = [
  ['geography', 'arithmetic-b'],
  ['arithmetic-a', 'planner', 'words'],
  ['geography', 'words'],
  ['arithmetic-b', 'words'],
]
/** Holders from this one on are killed. */
const FIRST_VICTIM = 2
const CHURN_MS = 20_000
const SAMPLE_MS = 2000
const COLLECT_MS = 30_000
const WARM_UP_SHARE = 0.2
const PROGRESS_S = 60
/** Two for each of the parts whose means a slope goes through. */
const FEWEST_SAMPLES = 24

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
  },
})
const seconds = Number(values.minutes) * 60
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)))

/** What clients do: a model or pathway, a question, and how the answer is read. */
const KINDS: readonly { model: string; question: string; how: 'whole' | 'stream' | 'cut' | 'wrong' }[] = [
  { model: 'modelnet/auto', question: 'What is the capital of Portugal?', how: 'whole' },
  { model: 'modelnet/auto', question: 'What is 58 plus 27?', how: 'stream' },
  { model: 'geography', question: 'Name the capital of Kenya.', how: 'cut' },
  { model: '@arithmetic', question: 'Calculate 68-43.', how: 'cut' },
  { model: '(arithmetic-a|arithmetic-b) ! vote', question: 'What is 34 plus 48?', how: 'whole' },
  { model: 'arithmetic-a ? arithmetic-b', question: 'What is 17 plus 25?', how: 'stream' },
  { model: 'arithmetic-b ~ arithmetic-a', question: 'What is 12 plus 31?', how: 'whole' },
  { model: 'words', question: 'How many letters are in the word network?', how: 'whole' },
  { model: 'modelnet/auto', question: 'What is 5 plus the number of letters in the capital of France?', how: 'whole' },
  { model: 'nobody/knows-this', question: 'Hello?', how: 'wrong' },
]

/** Of the failed, `retryable` said when to come again; `lateReturns` are victims not seen by all within a minute. */
const counts = { sent: 0, answered: 0, cut: 0, refused: 0, failed: 0, retryable: 0, lateReturns: 0 }
const failures = new Map<string, number>()
const latencies = new Map<string, number[]>()

async function send(gateway: string, kind: (typeof KINDS)[number]): Promise<void> {
  const controller = new AbortController()
  const late = setTimeout(() => controller.abort(new Error('no answer in a minute')), 60_000)
  const { model, question, how } = kind
  counts.sent++
  const began = performance.now()
  try {
    const response = await fetch(`${gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream: how !== 'whole', messages: [{ role: 'user', content: question }] }),
      signal: controller.signal,
    })
    if (how === 'wrong') {
      await response.text()
      if (response.status === 404) counts.refused++
      else fail(`${response.status} for what nobody knows`)
    } else if (!response.ok) {
      if (response.headers.has('retry-after')) counts.retryable++
      fail(`${response.status} ${model}: ${(await response.text()).slice(0, 120)}`)
    } else if (how === 'cut') {
      for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>) break // the reader goes away
      counts.cut++
    } else {
      await response.text()
      counts.answered++
      latencies.set(question, [...(latencies.get(question) ?? []), performance.now() - began])
    }
  } catch (error) {
    fail(`${model}: ${String(error)}`)
  } finally {
    clearTimeout(late)
    controller.abort()
  }
}

function fail(what: string): void {
  counts.failed++
  failures.set(what, (failures.get(what) ?? 0) + 1)
}

/** Figures of a process and of the one that computes for it, from the kernel and from its own metrics. */
async function look(process: NodeProcess): Promise<Readonly<Record<string, number>>> {
  const pid = process.child.pid ?? 0
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const metrics = await (await fetch(`${process.gateway}/metrics`)).text()
  return {
    residentMiB: residentMiB(pid),
    heapMiB: Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(metrics)?.[1]) / 2 ** 20,
    files: readdirSync(`/proc/${pid}/fd`).length,
    ...(child && { inferenceResidentMiB: residentMiB(Number(child)) }),
    ...(child && { inferenceFiles: readdirSync(`/proc/${child}/fd`).length }),
  }
}

/** A sample that could not be taken is left out. */
function noFigures(error: unknown): Readonly<Record<string, number>> {
  console.error(`no sample: ${String(error)}`)
  return {}
}

const residentMiB = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const round = (value: number): number => Number(value.toFixed(2))
const random = createRandom(`soak ${values.seed}`)
const heaps = watchLiveHeaps(COLLECT_MS)
const network = await startProcessNetwork(MODELS, heaps.env)
const watched = new Map<string, NodeProcess>([['asked', network.asked]])
for (const { index, process } of network.places.slice(0, FIRST_VICTIM)) watched.set(`holder ${index}`, process)
const samples = new Map<string, Sample[]>()
const start = performance.now()
const startedAt = Date.now()
const elapsed = (): number => (performance.now() - start) / 1000
let kills = 0
let told = 0

async function churn(): Promise<void> {
  const victims: readonly Place[] = network.places.slice(FIRST_VICTIM)
  while (elapsed() < seconds) {
    const next = performance.now() + CHURN_MS
    const victim = victims[kills++ % victims.length]
    if (!victim) return
    const gone = new Promise(resolve => victim.process.child.once('exit', resolve))
    victim.process.child.kill('SIGKILL')
    await gone
    try {
      const back = await network.restart(victim)
      await network.untilSeen(network.alive(), back.node, isServing, performance.now())
    } catch (error) {
      counts.lateReturns++
      console.error(String(error))
    }
    await sleep(next - performance.now())
  }
}

async function watch(): Promise<void> {
  while (elapsed() < seconds) {
    const at = elapsed()
    for (const [name, process] of watched)
      for (const [figure, value] of Object.entries(await look(process).catch(noFigures))) {
        const key = `${name}: ${figure}`
        const kept = samples.get(key) ?? []
        samples.set(key, kept)
        if (at > WARM_UP_SHARE * seconds) kept.push({ at, value })
      }
    if (Math.floor(at / PROGRESS_S) > told) {
      told = Math.floor(at / PROGRESS_S)
      console.error(`${Math.round(at)} s`, counts, `${kills} kills`)
      write()
    }
    await sleep(SAMPLE_MS)
  }
}

async function load(): Promise<void> {
  const pending = new Set<Promise<void>>()
  let due = performance.now()
  while (elapsed() < seconds) {
    due += nextArrivalMs(random.next(), Number(values.rate))
    await sleep(due - performance.now())
    const kind = KINDS[Math.floor(random.next() * KINDS.length)]
    if (!kind) continue
    const sent: Promise<void> = send(network.asked.gateway, kind).finally(() => pending.delete(sent))
    pending.add(sent)
  }
  await Promise.all(pending)
}

/** Grows without doubt, and by more than a tenth of itself in a day. */
const isLeak = ({ from, perHour, first }: Slope): boolean => from > 0 && perHour * 24 > first / 10

try {
  await Promise.all([load(), watch(), churn()])
} finally {
  await network.close()
}
console.table(slopesOf())
console.log(counts, kills, [...failures], latenciesOf())
write()

/** What full collections left, of each process that is watched. */
function* collected(): Generator<readonly [string, readonly Sample[]]> {
  for (const [name, { child }] of watched) {
    const kept = heaps
      .read(child.pid ?? 0)
      .map(({ at, ...figures }) => ({ at: (at - startedAt) / 1000, ...figures }))
      .filter(({ at }) => at > WARM_UP_SHARE * seconds)
    yield [`${name}: heap after a collection MiB`, kept.map(({ at, liveMiB }) => ({ at, value: liveMiB }))]
    yield [`${name}: of it code MiB`, kept.map(({ at, codeMiB }) => ({ at, value: codeMiB }))]
  }
}

function slopesOf() {
  return [...samples, ...collected()].flatMap(([figure, kept]) => {
    if (kept.length < FEWEST_SAMPLES) return []
    const slope = slopeOf(kept)
    const all = kept.map(({ value }) => value)
    return {
      figure,
      first: round(slope.first),
      last: round(slope.last),
      worst: round(Math.max(...all)),
      perHour: round(slope.perHour),
      interval95: `${round(slope.from)} .. ${round(slope.to)}`,
      leak: isLeak(slope),
    }
  })
}

function latenciesOf(): object {
  return Object.fromEntries(
    [...latencies].map(([question, ms]) => [
      question,
      { p50: Math.round(quantile(ms, 0.5)), p95: Math.round(quantile(ms, 0.95)), worst: Math.round(Math.max(...ms)) },
    ]),
  )
}

function write(): void {
  const minutes = Math.min(elapsed(), seconds) / 60
  writeResult('resilience-soak', {
    question: 'Growth of memory, heap and open files of nodes under mixed load while others are killed and come back',
    setting: `${MODELS.length + 1} processes over libp2p on one machine, ${round(minutes)} of ${values.minutes} minutes, ${values.rate} requests/s at random, a kill every ${CHURN_MS} ms; sampled every ${SAMPLE_MS} ms after the first fifth; slopes per hour over the means of 12 parts`,
    counts,
    kills,
    failures: Object.fromEntries([...failures].slice(0, 10)),
    latencyMs: latenciesOf(),
    slopes: slopesOf(),
  })
}
