/**
 * How many of 2,000 requests succeed while a random one of 8 nodes is killed and started again every 3 s, and when
 * nodes leave in good order instead?
 *
 * Nine nodes in this process over a network in memory: eight hold two shipped models each (every model has four
 * holders; one engine process computes for all), the ninth asks and is not killed. Requests arrive at random at a fixed
 * rate whether or not answers come back, are greedy, and count as right only when the text is that of the model asked
 * directly. Limits: 99.9 % with kills, all with leaves; no call to a node that is dead for 2 s; a node that is back is
 * seen by all within 2 s.
 *
 * Run: npx tsx benchmarks/resilience/churn.ts [--requests 2000] [--rate 20] [--seed 1]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { shippedModel, shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { createMemoryHub } from '../../src/network/index.ts'
import type { LoadedModel } from '../../src/resource/index.ts'
import { createWorkerEngine } from '../../src/resource/index.ts'
import { systemClock as clock } from '../../src/utils/clock.ts'
import { toModelNetError } from '../../src/utils/errors.ts'
import { createRandom } from '../../src/utils/random.ts'
import { writeResult } from '../support.ts'
import { type BenchNode, isAlive, nextArrivalMs, quantile, seesAll, startBenchNode, until } from './node.ts'

const HOLDERS = 8
const CHURN_MS = 3000
/** A killed node stays away longer than the limit, so that late calls to it would be seen. */
const AWAY_MS = 2100
const NAMES = ['geography', 'arithmetic-a', 'words', 'elements']
const QUESTIONS_EACH = 10

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    rate: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})

interface Question {
  readonly text: string
  readonly answer: string
}

async function questionsOf(model: LoadedModel, name: string): Promise<readonly Question[]> {
  const file = join(shippedModelsDirectory(), name, 'heldout.jsonl')
  const rows = readFileSync(file, 'utf8').split('\n').slice(0, QUESTIONS_EACH)
  const questions: Question[] = []
  for (const row of rows) {
    const { question } = JSON.parse(row) as { question: string } // our own file
    let answer = ''
    for await (const part of model.generate({ messages: [{ role: 'user', content: question }], temperature: 0 }))
      if (part.type === 'text-delta') answer += part.text
    questions.push({ text: question, answer })
  }
  return questions
}

async function round(how: 'kill' | 'leave', models: readonly LoadedModel[], questions: readonly Question[]) {
  const random = createRandom(`${how} ${values.seed}`)
  const hub = createMemoryHub({ clock })
  const deadAt = new Map<string, number>()
  const worst = { lateCalls: 0, lastCallMs: 0 }
  const onCall = (node: string): void => {
    const since = deadAt.get(node)
    if (since === undefined) return
    const ms = clock.monotonic() - since
    worst.lastCallMs = Math.max(worst.lastCallMs, Math.round(ms))
    if (ms > 2000) worst.lateCalls++
  }
  const asker = await startBenchNode({ hub, onCall })
  const start = (index: number, identity?: BenchNode['identity']): Promise<BenchNode> =>
    startBenchNode({
      hub,
      bootstrap: [asker.address],
      models: [models[index % models.length], models[(index + 1) % models.length]].filter(each => each !== undefined),
      ...(identity && { identity }),
    })
  const holders: BenchNode[] = []
  for (let index = 0; index < HOLDERS; index++) holders.push(await start(index))
  await until('the network forms', () => seesAll([asker, ...holders]))

  const returnMs: number[] = []
  const noticeMs: number[] = []
  const stop = new AbortController()
  const churn = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const next = clock.monotonic() + CHURN_MS
      const index = Math.floor(random.next() * HOLDERS)
      const victim = holders[index]
      if (!victim) return
      const others = [asker, ...holders.filter(each => each !== victim)]
      const struck = clock.monotonic()
      if (how === 'kill') deadAt.set(victim.id, struck)
      const ending = how === 'kill' ? victim.kill() : victim.leave()
      await until('a loss is noticed', () => others.every(each => !isAlive(each, victim)))
      noticeMs.push(Math.round(clock.monotonic() - struck))
      await ending
      if (how === 'kill') await clock.sleep(Math.max(0, struck + AWAY_MS - clock.monotonic()))
      deadAt.delete(victim.id)
      const back = await start(index, victim.identity)
      holders[index] = back
      returnMs.push(await until('a return is noticed', () => others.every(each => isAlive(each, back))))
      await clock.sleep(Math.max(0, next - clock.monotonic()), stop.signal).catch(() => undefined)
    }
  }
  const churning = churn()
  const failures: string[] = []
  const latencies: number[] = []
  let wrong = 0
  const askOne = async (question: Question): Promise<void> => {
    const began = clock.monotonic()
    try {
      const { text } = await asker.ask(question.text, { temperature: 0 })
      if (text !== question.answer) wrong++
      latencies.push(Math.round(clock.monotonic() - began))
    } catch (error) {
      const { code, message } = toModelNetError(error)
      failures.push(`${code}: ${message}`)
    }
  }
  const asking: Promise<void>[] = []
  const began = clock.monotonic()
  let due = began
  for (let index = 0; index < Number(values.requests); index++) {
    due += nextArrivalMs(random.next(), Number(values.rate))
    await clock.sleep(Math.max(0, due - clock.monotonic()))
    const question = questions[Math.floor(random.next() * questions.length)]
    if (question) asking.push(askOne(question))
  }
  await Promise.all(asking)
  const seconds = Math.round((clock.monotonic() - began) / 1000)
  stop.abort()
  await churning
  await Promise.all([asker, ...holders].map(node => node.kill()))
  const sent = asking.length
  return {
    sent,
    seconds,
    churned: noticeMs.length,
    succeeded: latencies.length,
    successShare: latencies.length / sent,
    otherText: wrong,
    failures: failures.slice(0, 10),
    latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), worst: Math.max(...latencies) },
    noticeMs: { p50: quantile(noticeMs, 0.5), worst: Math.max(...noticeMs) },
    returnSeenMs: { p50: quantile(returnMs, 0.5), worst: Math.max(...returnMs) },
    ...(how === 'kill' && { callsToDeadNodes: worst }),
  }
}

const engine = createWorkerEngine()
try {
  const models: LoadedModel[] = []
  for (const name of NAMES)
    models.push(await engine.load({ ...shippedModel(name).spec, concurrency: 4 }, { node: 'x' }))
  const questions: Question[] = []
  for (const [index, model] of models.entries()) questions.push(...(await questionsOf(model, NAMES[index] ?? '')))
  const kill = await round('kill', models, questions)
  console.log('kill', kill)
  const leave = await round('leave', models, questions)
  console.log('leave', leave)
  writeResult('resilience-churn', {
    question: `Requests answered while a random one of ${HOLDERS} nodes is killed (or leaves) and comes back`,
    setting: `nodes in one process over a network in memory, shipped models on one engine, ${values.rate} requests/s at random; one kill every ${CHURN_MS} ms, away for ${AWAY_MS} ms`,
    kill,
    leave,
  })
} finally {
  await engine.close()
}
