/**
 * How often the task classifier names the skill of held-out questions, and how long it takes. It was not trained on
 * these questions, nor on their phrasings.
 *
 *     npx tsx benchmarks/routing/analyser/evaluate.ts models/*\/heldout.jsonl
 */
import { readFileSync } from 'node:fs'
import { createTaskAnalyser } from '../../../src/service/analysis/task-analyser.ts'

interface Row {
  readonly question: string
  readonly tag: string
}

const analyser = createTaskAnalyser()
const ask = (content: string) => analyser.analyse({ messages: [{ role: 'user', content }] })
const verbose = process.argv.includes('--wrong')
const all: string[] = []
const right = new Map<string, [number, number]>()
for (const file of process.argv.slice(2).filter(argument => !argument.startsWith('--'))) {
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Row) // the files of this repository
  for (const { question, tag } of rows) {
    all.push(question)
    const { tags, confidence } = ask(question)
    const counts = right.get(tag) ?? [0, 0]
    right.set(tag, counts)
    counts[1]++
    if (tags[0]?.tag === tag) counts[0]++
    else if (verbose)
      console.log(
        `${tag} -> ${tags[0]?.tag} ${tags[0]?.probability.toFixed(2)} (${confidence.toFixed(2)}): ${question}`,
      )
  }
}
for (const [tag, [hits, count]] of right)
  console.log(`${tag.padEnd(20)} ${((100 * hits) / count).toFixed(2)} % of ${count}`)
const started = performance.now()
for (const question of all) ask(question)
console.log(`${((1000 * (performance.now() - started)) / Math.max(1, all.length)).toFixed(0)} microseconds a question`)
