/**
 * Question: how many of its held-out questions does each shipped model answer right, through the product's own engine?
 * Run: npx tsx benchmarks/specialists/measure.ts [name …] [--limit n]
 * Writes benchmarks/results/specialists.json; named models renew only their own results in it. Greedy decoding; graded as `modelnet bench ask` grades; Wilson intervals.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shippedModels, shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { evaluate, loadJsonl, modelSystem, type Row, summarise, terminalReport } from '../../src/evaluation/index.ts'
import { createLlamaCppEngine } from '../../src/resource/index.ts'

const MIN_QUESTIONS = 500
const output = join(dirname(fileURLToPath(import.meta.url)), '../results/specialists.json')

const args = process.argv.slice(2)
const limitAt = args.indexOf('--limit')
const limit = limitAt < 0 ? Number.POSITIVE_INFINITY : Number(args[limitAt + 1])
const names = limitAt < 0 ? args : args.toSpliced(limitAt, 2)

const engine = createLlamaCppEngine()
const results = []
try {
  for (const { name, spec } of shippedModels()) {
    const heldout = join(shippedModelsDirectory(), name, 'heldout.jsonl')
    if ((names.length > 0 && !names.includes(name)) || !existsSync(heldout)) continue
    const questions = (await loadJsonl(heldout)).slice(0, limit)
    if (limit >= MIN_QUESTIONS && questions.length < MIN_QUESTIONS)
      throw new Error(`${heldout} has ${questions.length} questions; expected at least ${MIN_QUESTIONS}`)
    const loading = performance.now()
    const model = await engine.load(spec, { node: 'local' })
    const loadMs = performance.now() - loading
    const { rows } = await evaluate([modelSystem(model, name)], questions)
    await model.close()
    const summary = summarise(name, rows)
    const groups = (of: 'kind' | 'tag') =>
      [...new Set(questions.map(question => question[of] ?? ''))].sort().map(value => {
        const ids = new Set(questions.filter(question => (question[of] ?? '') === value).map(question => question.id))
        const { n, right, abstained, accuracy } = summarise(
          value,
          rows.filter((row: Row) => ids.has(row.question)),
        )
        return { [of]: value, n, right, abstained, accuracy }
      })
    const claimed = spec.claims?.[0]?.accuracy
    results.push({
      ...summary,
      date: new Date().toISOString(),
      loadMs,
      claimed,
      byTag: groups('tag'),
      byKind: groups('kind'),
    })
    console.log(
      terminalReport([summary])
        .split('\n')
        .at(results.length === 1 ? 0 : -1),
    )
    if (results.length === 1) console.log(terminalReport([summary]).split('\n').at(-1))
  }
} finally {
  await engine.close()
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`
mkdirSync(dirname(output), { recursive: true })
if (limit === Number.POSITIVE_INFINITY) {
  const measured = new Set(results.map(result => result.name))
  const kept: { readonly name: string }[] =
    names.length > 0 && existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')).results : []
  const all = [...kept.filter(({ name }) => !measured.has(name)), ...results].sort((a, b) => (a.name < b.name ? -1 : 1))
  const report = { date: new Date().toISOString(), commit, machine, node: process.version, results: all }
  writeFileSync(output, `${JSON.stringify(report, null, 1)}\n`)
}
