/**
 * Decisions per second of a trained router, and of one with ten thousand arms behind its index, each loaded by a process of
 * its own, as a node does. Abilities are drawn, the questions are generated: this measures time and memory, not quality.
 *
 *     npx tsx benchmarks/routing/speed.ts [--results <file.json>]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTaskAnalyser } from '../../src/service/analysis/task-analyser.ts'
import { loadTextRouter } from '../../src/service/routing/text-router.ts'
import { trainTextRouter } from '../../src/service/routing/train-text-router.ts'
import { createRandom } from '../../src/utils/random.ts'
import { generateQuestions } from './analyser/questions.ts'

const { values } = parseArgs({
  options: { results: { type: 'string' }, loaded: { type: 'string' } },
})

interface Trained {
  readonly seed: string
  readonly labels: readonly string[]
  readonly router: unknown
}

/** Trains a router, and measures it in a process that only loads it, as a node does. */
function measure(arms: number, rows: number): Readonly<Record<string, number>> {
  const seed = `speed-${arms}`
  const random = createRandom(seed)
  const questions = generateQuestions(rows, random)
  const labels = [...new Set(questions.map(({ label }) => label))]
  // each arm is good at one skill; with very many arms only a fifth of them was tried on each question
  const tried = Math.min(1, 2000 / arms)
  const scores = Float32Array.from({ length: questions.length * arms }, (_, at) => {
    if (random.next() > tried) return Number.NaN
    const skill = labels[(at % arms) % labels.length]
    return random.next() < (questions[Math.floor(at / arms)]?.label === skill ? 0.9 : 0.3) ? 1 : 0
  })
  const names = Array.from({ length: arms }, (_, arm) => `model-${arm}`)
  const table = { questions: questions.map(({ question }) => question), arms: names, scores }
  const router = trainTextRouter(table, { folds: 2 })
  const folder = mkdtempSync(join(tmpdir(), 'modelnet-speed-'))
  try {
    const file = join(folder, 'router.json')
    writeFileSync(file, JSON.stringify({ seed, labels, router } satisfies Trained))
    const args = [...process.execArgv, fileURLToPath(import.meta.url), '--loaded', file]
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) // our own, below
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function measureLoaded(file: string): Readonly<Record<string, number>> {
  const { seed, labels, router: state } = JSON.parse(readFileSync(file, 'utf8')) as Trained // our own, above
  const saved = JSON.stringify(state)
  const empty = memory()
  const router = loadTextRouter(JSON.parse(saved))
  const memoryMegabytes = Number((memory() - empty).toFixed(1))
  const asked = generateQuestions(4000, createRandom(seed).fork('asked'))
  for (const { question } of asked.slice(0, 500)) router.choose(question)
  const cpu = process.cpuUsage()
  const started = performance.now()
  let right = 0
  for (const { question, label } of asked)
    right += labels[router.choose(question).index % labels.length] === label ? 1 : 0
  const seconds = (performance.now() - started) / 1000
  const used = process.cpuUsage(cpu)
  return {
    arms: router.arms.length,
    decisionsPerSecond: Math.round(asked.length / seconds),
    decisionsPerCpuSecond: Math.round(asked.length / ((used.user + used.system) / 1e6)),
    millisecondsPerDecision: Number(((1000 * seconds) / asked.length).toFixed(4)),
    shareOfRightSkill: Number((right / asked.length).toFixed(4)),
    memoryMegabytes,
    stateMegabytes: Number((saved.length / 1e6).toFixed(2)),
  }
}

/** Megabytes in use, typed arrays included. */
function memory(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // what the flag provides
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1e6
}

const CHINESE = [
  '法国的首都是哪里',
  '铁的原子序数是多少？',
  '三百四十八乘以十二等于多少？',
  '如果今天是星期一，那么一百天以后是星期几？',
  '小明有三只猫，小红有四只猫，他们一共有多少只猫？',
  '请写一篇五百字的作文，题目是我的家乡。',
]

/** Milliseconds of one task analysis: wanted below 0.2. */
function measureAnalysis(texts: readonly string[]): number {
  const { analyse } = createTaskAnalyser()
  const run = (part: readonly string[]): void => {
    for (const content of part) analyse({ messages: [{ role: 'user', content }] })
  }
  run(texts.slice(0, 500))
  const started = performance.now()
  run(texts)
  return Number(((performance.now() - started) / texts.length).toFixed(4))
}

function run(): void {
  const english = generateQuestions(4000, createRandom('speed-analysis')).map(({ question }) => question)
  const chinese = Array.from({ length: 4000 }, (_, at) => CHINESE[at % CHINESE.length] ?? '')
  const analysisMilliseconds = { english: measureAnalysis(english), chinese: measureAnalysis(chinese) }
  console.log('milliseconds of a task analysis:', analysisMilliseconds)
  const measured = [measure(30, 4000), measure(10_000, 800)]
  console.table(measured)
  if (values.results)
    writeFileSync(
      values.results,
      `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), command: 'npx tsx benchmarks/routing/speed.ts', node: process.version, analysisMilliseconds, measured }, null, 2)}\n`,
    )
}

if (values.loaded) console.log(JSON.stringify(measureLoaded(values.loaded)))
else run()
