/**
 * Do requests to a gateway go on succeeding while real node processes are killed, leave, and change their models?
 *
 * Nine `modelnet serve` processes on this machine over libp2p: eight hold one shipped model each (every model has at
 * least two holders), the ninth is asked over HTTP and is left alone. Requests arrive at random at a fixed rate
 * whether or not answers come back, are greedy, and count as right only with the text given before the trouble began.
 *   kill    SIGKILL to a random holder every 3 s, started again after it was away for 2.1 s
 *   leave   `modelnet drain` at a random holder, started again when it has left
 *   update  the holders of arithmetic-a leave in turn and come back with arithmetic-b, while the skill is asked for
 * Limits: 99.9 % with kills, all with leaves and updates; a dead node gets no new request after 2 s; who is back is
 * seen by all within 2 s.
 *
 * Run: npm run build && npx tsx benchmarks/resilience/processes.ts [--requests 2000] [--rate 10] [--nodes 8]
 *      [--phases kill,leave,update] [--seed 1]
 * Takes requests / rate seconds for each phase and a minute more, so eleven minutes; results are written after each.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { createRandom, type Random } from '../../src/utils/random.ts'
import { ask, run } from '../../test/support/processes.ts'
import { writeResult } from '../support.ts'
import { nextArrivalMs, quantile } from './node.ts'
import { isOut, isServing, type Place, type ProcessNetwork, startProcessNetwork } from './process-network.ts'

const CHURN_MS = 3000
/** A killed node stays away longer than the limit, so that late requests to it would be seen. */
const AWAY_MS = 2100
const ALL_NAMES = ['geography', 'arithmetic-a', 'words', 'elements']
const UPDATED = { from: 'arithmetic-a', to: 'arithmetic-b' } as const
const QUESTIONS_EACH = 8

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    rate: { type: 'string', default: '10' },
    nodes: { type: 'string', default: '8' },
    phases: { type: 'string', default: 'kill,leave,update' },
    seed: { type: 'string', default: '1' },
  },
})
const count = Number(values.nodes)
if (count < 4) throw new Error('expected --nodes of 4 or more: every model has two holders, and one of them is updated')
const NAMES = ALL_NAMES.slice(0, Math.floor(count / 2))
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.max(0, ms)))

interface Question {
  readonly text: string
  readonly model: string
  answer?: string
}

const QUESTIONS: readonly Question[] = NAMES.flatMap(name => {
  const rows = readFileSync(join(shippedModelsDirectory(), name, 'heldout.jsonl'), 'utf8').split('\n')
  // our own file
  return rows.slice(0, QUESTIONS_EACH).map(row => ({
    text: (JSON.parse(row) as { question: string }).question,
    model: `modelnet/${name}`,
  }))
})

interface Trouble {
  /** From the blow until the asked node sends no new work there. */
  readonly noticeMs: number[]
  /** From the word that it is ready until all nodes see it with its models. */
  readonly returnSeenMs: number[]
  readonly startMs: number[]
}

/** One loss and return. */
async function strike(network: ProcessNetwork, place: Place, how: 'kill' | 'leave', trouble: Trouble): Promise<void> {
  const { process: lost } = place
  const struck = performance.now()
  const gone = new Promise(resolve => lost.child.once('exit', resolve))
  // of a leave the start of the command counts as well
  const done = how === 'kill' ? lost.child.kill('SIGKILL') : run(['drain', '--url', lost.gateway])
  trouble.noticeMs.push(await network.untilSeen([network.asked], lost.node, isOut, struck))
  await done
  await gone
  if (how === 'kill') await sleep(struck + AWAY_MS - performance.now())
  const started = performance.now()
  const back = await network.restart(place)
  const ready = performance.now()
  trouble.startMs.push(Math.round(ready - started))
  trouble.returnSeenMs.push(await network.untilSeen(network.alive(), back.node, isServing, ready))
}

/** Sends requests at random times while `work` goes on; resolves when both have ended. */
async function under(
  network: ProcessNetwork,
  random: Random,
  questions: readonly Question[],
  work: (over: () => boolean) => Promise<void>,
) {
  let over = false
  const failures: string[] = []
  const latencies: number[] = []
  const members = new Map<string, number>()
  let otherText = 0
  const askOne = async (question: Question): Promise<void> => {
    const began = performance.now()
    try {
      const body = await ask(network.asked.gateway, question.text, question.model)
      if (body.status !== 200) return void failures.push(`${body.status} ${body.error?.code}: ${body.error?.message}`)
      if (question.answer !== undefined && body.choices[0]?.message.content !== question.answer) otherText++
      for (const { node } of body.modelnet.members) members.set(node, (members.get(node) ?? 0) + 1)
      latencies.push(Math.round(performance.now() - began))
    } catch (error) {
      failures.push(String(error))
    }
  }
  const working = work(() => over)
  const asking: Promise<void>[] = []
  const began = performance.now()
  let due = began
  for (let count = 0; count < Number(values.requests); count++) {
    due += nextArrivalMs(random.next(), Number(values.rate))
    await sleep(due - performance.now())
    const question = questions[Math.floor(random.next() * questions.length)]
    if (question) asking.push(askOne(question))
  }
  await Promise.all(asking)
  over = true
  const seconds = Math.round((performance.now() - began) / 1000)
  await working
  return {
    sent: asking.length,
    seconds,
    succeeded: latencies.length,
    successShare: latencies.length / asking.length,
    otherText,
    failures: failures.slice(0, 10),
    latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), worst: Math.max(...latencies) },
    answeredBy: [...members.values()].toSorted((a, b) => b - a),
  }
}

async function churn(network: ProcessNetwork, how: 'kill' | 'leave') {
  const random = createRandom(`${how} ${values.seed}`)
  const trouble: Trouble = { noticeMs: [], returnSeenMs: [], startMs: [] }
  const figures = await under(network, random, QUESTIONS, async over => {
    while (!over()) {
      const next = performance.now() + CHURN_MS
      const place = network.places[Math.floor(random.next() * network.places.length)]
      if (place) await strike(network, place, how, trouble)
      await sleep(next - performance.now())
    }
  })
  return { ...figures, struck: trouble.noticeMs.length, ...summary(trouble) }
}

/** The holders of one model leave one after another and come back with other weights. */
async function update(network: ProcessNetwork) {
  const trouble: Trouble = { noticeMs: [], returnSeenMs: [], startMs: [] }
  const questions = QUESTIONS.filter(({ model }) => model === `modelnet/${UPDATED.from}`)
  // any holder of the skill may answer while its weights change: the texts differ, the answers must come
  const asked = questions.map(({ text }) => ({ text, model: '@arithmetic' }))
  let updated = 0
  const figures = await under(network, createRandom(`update ${values.seed}`), asked, async () => {
    for (const place of network.places.filter(({ model }) => model.includes(UPDATED.from))) {
      place.model = [UPDATED.to]
      await strike(network, place, 'leave', trouble)
      updated++
    }
  })
  return { ...figures, updated, ...summary(trouble) }
}

const summary = ({ noticeMs, returnSeenMs, startMs }: Trouble): object => ({
  noticeMs: { p50: quantile(noticeMs, 0.5), worst: Math.max(...noticeMs) },
  returnSeenMs: { p50: quantile(returnSeenMs, 0.5), worst: Math.max(...returnSeenMs) },
  startMs: { p50: quantile(startMs, 0.5), worst: Math.max(...startMs) },
})

/** Of the result file, as far as there is one. */
function earlierPhases(): Readonly<Record<string, unknown>> {
  const file = new URL('../results/resilience-processes.json', import.meta.url)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).phases : {}
}

if (!existsSync(new URL('../../dist/application/cli.js', import.meta.url))) throw new Error('run `npm run build` first')
const network = await startProcessNetwork(
  Array.from({ length: count }, (_, index) => [NAMES[index % NAMES.length] ?? '']),
)
try {
  for (const question of QUESTIONS) {
    const { choices } = await ask(network.asked.gateway, question.text, question.model)
    question.answer = choices[0]?.message.content ?? ''
  }
  const phases: Record<string, unknown> = {}
  for (const phase of values.phases.split(',')) {
    const figures =
      phase === 'update' ? await update(network) : await churn(network, phase === 'kill' ? 'kill' : 'leave')
    phases[phase] = { requestsPerSecond: Number(values.rate), ...figures }
    console.log(phase, phases[phase])
    writeResult('resilience-processes', {
      question: `Requests answered over HTTP while a random one of ${count} node processes is killed (or leaves, or changes its model) and comes back`,
      setting: `${count + 1} processes over libp2p on one machine, shipped models, requests at random, so many a second as each phase says; one blow every ${CHURN_MS} ms or when the one before is over, killed nodes away for ${AWAY_MS} ms; phases are kept until they are run again`,
      phases: { ...earlierPhases(), ...phases },
    })
  }
} finally {
  await network.close()
}
