/**
 * How many real node processes does one machine carry, as one network that answers?
 *
 * A growing number of `modelnet serve` processes on this machine, one shipped model each, over libp2p with full membership.
 * At each size: until every node sees all others with their models, what all of them take at rest (processor, memory), and
 * questions put to random nodes at random times, whether or not answers come back, whose answers must be right.
 *
 * Run: npm run build && npx tsx benchmarks/resilience/crowd.ts [--sizes 8,16,24,32] [--requests 100] [--rate 2] [--seed 1]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { graderOf, loadJsonl } from '../../src/evaluation/index.ts'
import { createRandom } from '../../src/utils/random.ts'
import { ask, type NodeProcess, peersOf, startNode } from '../../test/support/processes.ts'
import { writeResult } from '../support.ts'
import { nextArrivalMs, quantile } from './node.ts'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '8,16,24,32' },
    requests: { type: 'string', default: '100' },
    rate: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
  },
})
const NAMES = ['geography', 'arithmetic-b', 'words', 'elements', 'calendar', 'units', 'logic', 'arithmetic-a']
/** Started at the same time: a machine starts its nodes one after another. */
const TOGETHER = 2
const QUESTIONS_EACH = 20
const REST_MS = 10_000
const PATIENCE_MS = 120_000
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)))

/** The first questions of each field that were kept out of training. */
const QUESTIONS = (
  await Promise.all(
    NAMES.map(async name => {
      const rows = await loadJsonl(join(shippedModelsDirectory(), name, 'heldout.jsonl'))
      return rows.slice(0, QUESTIONS_EACH).map(question => ({ question, model: `modelnet/${name}` }))
    }),
  )
).flat()

const nodes: NodeProcess[] = []

async function grow(size: number): Promise<void> {
  while (nodes.length < size) {
    const bootstrap = nodes[0]?.addresses[0]
    const count = bootstrap === undefined ? 1 : Math.min(TOGETHER, size - nodes.length)
    const started = Array.from({ length: count }, (_, at) => {
      const model = NAMES[(nodes.length + at) % NAMES.length] ?? ''
      return startNode(['--model', model, ...(bootstrap === undefined ? [] : ['--bootstrap', bootstrap])])
    })
    for (const node of await Promise.all(started)) {
      node.child.stderr?.resume()
      nodes.push(node)
    }
  }
}

/** Milliseconds until every node sees all of them alive with a model. */
async function untilWhole(): Promise<number> {
  const since = performance.now()
  const waiting = new Set(nodes)
  while (waiting.size > 0) {
    for (const node of waiting) {
      const { nodes: seen } = await peersOf(node)
      if (seen.filter(({ state, models }) => state === 'alive' && models.length > 0).length >= nodes.length)
        waiting.delete(node)
    }
    if (performance.now() - since > PATIENCE_MS) throw new Error(`${waiting.size} nodes do not see all others`)
    if (waiting.size > 0) await sleep(100)
  }
  return Math.round(performance.now() - since)
}

/** A node's process and the one that computes for it. */
function processesOf({ child }: NodeProcess): readonly number[] {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  return [child.pid ?? 0, ...children.split(' ').filter(Boolean).map(Number)]
}

/** Seconds of processor and MiB of memory that all nodes have taken. */
function taken(): { readonly cpuS: number; readonly residentMiB: number } {
  let [ticks, kilobytes] = [0, 0]
  for (const pid of nodes.flatMap(processesOf)) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
    kilobytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  }
  return { cpuS: ticks / 100, residentMiB: kilobytes / 1024 }
}

async function questions(seed: string) {
  const random = createRandom(seed)
  const failures: string[] = []
  const latencies: number[] = []
  let right = 0
  const askOne = async (node: NodeProcess, { question, model }: (typeof QUESTIONS)[number]): Promise<void> => {
    const began = performance.now()
    try {
      const body = await ask(node.gateway, question.question, model)
      if (body.status !== 200) return void failures.push(`${body.status} ${body.error?.code}`)
      latencies.push(performance.now() - began)
      const text = body.choices[0]?.message.content ?? ''
      if (graderOf(question.grader).grade(text, question.answer).verdict === 'right') right++
    } catch (error) {
      failures.push(String(error))
    }
  }
  const asking: Promise<void>[] = []
  let due = performance.now()
  for (let count = 0; count < Number(values.requests); count++) {
    due += nextArrivalMs(random.next(), Number(values.rate))
    await sleep(due - performance.now())
    const node = nodes[Math.floor(random.next() * nodes.length)]
    const question = QUESTIONS[Math.floor(random.next() * QUESTIONS.length)]
    if (node && question) asking.push(askOne(node, question))
  }
  await Promise.all(asking)
  return {
    asked: asking.length,
    answered: latencies.length,
    right,
    failures: failures.slice(0, 5),
    latencyMs: { p50: Math.round(quantile(latencies, 0.5)), p95: Math.round(quantile(latencies, 0.95)) },
  }
}

const rows: object[] = []
try {
  for (const size of values.sizes.split(',').map(Number)) {
    await grow(size)
    const wholeMs = await untilWhole()
    await sleep(REST_MS)
    const before = taken()
    await sleep(REST_MS)
    const after = taken()
    rows.push({
      nodes: size,
      wholeMs,
      coresAtRest: Number((((after.cpuS - before.cpuS) * 1000) / REST_MS).toFixed(2)),
      residentMiB: Math.round(after.residentMiB),
      ...(await questions(`crowd ${values.seed} ${size}`)),
    })
    console.log(rows.at(-1))
    writeResult('resilience-crowd', {
      question: 'How many real node processes does one machine carry, as one network that answers?',
      setting: `modelnet serve over libp2p on one machine, a shipped model and an inference process each, full membership; ${values.rate} requests/s to random nodes`,
      rows,
    })
  }
} finally {
  for (const { child } of nodes) child.kill('SIGKILL')
}
