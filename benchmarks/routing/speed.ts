/**
 * Decisions per second of a trained router, and of one with ten thousand arms behind its index. Abilities are drawn, the
 * questions are generated: this measures time and memory, not quality.
 *
 *     npx tsx benchmarks/routing/speed.ts [--results <file.json>]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createTaskAnalyser } from '../../src/service/analysis/task-analyser.ts'
import { loadTextRouter } from '../../src/service/routing/text-router.ts'
import { trainTextRouter } from '../../src/service/routing/train-text-router.ts'
import { createRandom } from '../../src/utils/random.ts'
import { generateQuestions } from './analyser/questions.ts'

const { values } = parseArgs({ options: { results: { type: 'string' } } })

function measure(arms: number, rows: number): Readonly<Record<string, number>> {
  const random = createRandom(`speed-${arms}`)
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
  const saved = JSON.stringify(
    trainTextRouter({ questions: questions.map(({ question }) => question), arms: names, scores }, { folds: 2 }),
  )
  const router = loadTextRouter(JSON.parse(saved))
  const asked = generateQuestions(4000, random.fork('asked'))
  for (const { question } of asked.slice(0, 500)) router.choose(question)
  const cpu = process.cpuUsage()
  const started = performance.now()
  let right = 0
  for (const { question, label } of asked)
    right += labels[router.choose(question).index % labels.length] === label ? 1 : 0
  const seconds = (performance.now() - started) / 1000
  const used = process.cpuUsage(cpu)
  return {
    arms,
    decisionsPerSecond: Math.round(asked.length / seconds),
    decisionsPerCpuSecond: Math.round(asked.length / ((used.user + used.system) / 1e6)),
    millisecondsPerDecision: Number(((1000 * seconds) / asked.length).toFixed(4)),
    shareOfRightSkill: Number((right / asked.length).toFixed(4)),
    stateMegabytes: Number((saved.length / 1e6).toFixed(2)),
  }
}

/** Milliseconds of one task analysis: wanted below 0.2. */
function measureAnalysis(): number {
  const { analyse } = createTaskAnalyser()
  const asked = generateQuestions(4000, createRandom('speed-analysis'))
  const run = (part: typeof asked): void => {
    for (const { question } of part) analyse({ messages: [{ role: 'user', content: question }] })
  }
  run(asked.slice(0, 500))
  const started = performance.now()
  run(asked)
  return Number(((performance.now() - started) / asked.length).toFixed(4))
}

const analysisMilliseconds = measureAnalysis()
console.log(`task analysis: ${analysisMilliseconds} ms`)
const measured = [measure(30, 4000), measure(10_000, 800)]
console.table(measured)
if (values.results)
  writeFileSync(
    values.results,
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), command: 'npx tsx benchmarks/routing/speed.ts', node: process.version, analysisMilliseconds, measured }, null, 2)}\n`,
  )
