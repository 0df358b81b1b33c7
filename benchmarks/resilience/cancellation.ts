/**
 * How soon does the engine of a peer stop when the client of another node goes away?
 *
 * Two `modelnet serve` processes over libp2p: one is asked over HTTP, the other holds a model that was never trained, large
 * enough that an answer takes many seconds. Each trial reads a random number of parts of a streamed answer and goes away.
 * Measured from there: until the holder says that nothing runs (asked every few milliseconds), and the processor time that
 * its inference process takes from half a second to a second later, which is none when the engine has stopped.
 * Limit: 500 ms.
 *
 * Run: npm run build && npx tsx benchmarks/resilience/cancellation.ts [--trials 40] [--seed 1]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { shippedModel } from '../../src/application/shipped-models.ts'
import { createRandom } from '../../src/utils/random.ts'
import type { NodeProcess } from '../../test/support/processes.ts'
import { writeResult } from '../support.ts'
import { EIGHTH_OF_LLAMA_1B, writeRandomModel } from '../token-level/random-model.ts'
import { quantile } from './node.ts'
import { startProcessNetwork } from './process-network.ts'

const { values } = parseArgs({
  options: { trials: { type: 'string', default: '40' }, seed: { type: 'string', default: '1' } },
})
const LIMIT_MS = 500
const POLL_MS = 5
const MOST_PARTS = 12
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Reads so many parts of a streamed answer, then goes away. */
async function leaveAfter(gateway: string, parts: number): Promise<void> {
  const client = new AbortController()
  const response = await fetch(`${gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'untrained',
      stream: true,
      max_tokens: 1000,
      temperature: 1,
      messages: [{ role: 'user', content: 'Say something long.' }],
    }),
    signal: client.signal,
  })
  if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`)
  let read = 0
  for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>) if (++read >= parts) break
  client.abort()
}

async function running({ gateway }: NodeProcess): Promise<number> {
  const text = await (await fetch(`${gateway}/metrics`)).text()
  return Number(/^modelnet_model_load\{[^}]*state="running"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0)
}

/** Processor time of the process that computes for a node, in ms. */
function inferenceCpuMs({ child }: NodeProcess): number {
  const [inference] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')
  const fields = readFileSync(`/proc/${inference}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10 // user and system, in hundredths of a second
}

const folder = mkdtempSync(join(tmpdir(), 'modelnet-untrained-'))
const file = join(folder, 'untrained.gguf')
await writeRandomModel(file, shippedModel('arithmetic-a').spec.file ?? '', EIGHTH_OF_LLAMA_1B)
const network = await startProcessNetwork([[file]])
const [holder] = network.places
if (!holder) throw new Error('no holder')
const random = createRandom(`cancellation ${values.seed}`)
const stoppedMs: number[] = []
const laterCpuMs: number[] = []
const workingCpuMs: number[] = []
try {
  await network.untilSeen([network.asked], holder.process.node, node => (node?.models.length ?? 0) > 0, 0)
  for (let trial = 0; trial < Number(values.trials); trial++) {
    const cpu = inferenceCpuMs(holder.process)
    const began = performance.now()
    await leaveAfter(network.asked.gateway, 1 + Math.floor(random.next() * MOST_PARTS))
    const left = performance.now()
    workingCpuMs.push((500 * (inferenceCpuMs(holder.process) - cpu)) / (left - began))
    while ((await running(holder.process)) > 0) await sleep(POLL_MS)
    stoppedMs.push(performance.now() - left)
    await sleep(left + LIMIT_MS - performance.now())
    const half = inferenceCpuMs(holder.process)
    await sleep(LIMIT_MS)
    laterCpuMs.push(inferenceCpuMs(holder.process) - half)
  }
} finally {
  await network.close()
  rmSync(folder, { recursive: true })
}
const summary = (all: readonly number[]) => ({
  p50: Math.round(quantile(all, 0.5)),
  p95: Math.round(quantile(all, 0.95)),
  worst: Math.round(Math.max(...all)),
})
const figures = {
  trials: stoppedMs.length,
  stoppedMs: summary(stoppedMs),
  withinLimit: stoppedMs.filter(ms => ms <= LIMIT_MS).length,
  processorMsInHalfASecond: { whileItAnswers: summary(workingCpuMs), afterwards: summary(laterCpuMs) },
}
console.log(figures)
writeResult('resilience-cancellation', {
  question: `How soon the engine of a peer stops when the client of another node goes away (limit ${LIMIT_MS} ms)`,
  setting: 'two processes over libp2p, an untrained model of 154 million weights, streams left after 1 to 12 parts',
  ...figures,
})
