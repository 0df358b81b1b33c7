/**
 * The experiments of the AI-Model Network paper and its companions on the shipped models; docs/paper.md says which is which.
 * Run: npx tsx benchmarks/paper/run.ts [part …] [--questions n] [--seed n] [--output folder] [--resume]
 * Writes report.html, report.json and report.txt to benchmarks/results/paper (or the folder given).
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { shippedModels, shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { type PaperPart, runBenchPaper } from '../../src/evaluation/index.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    questions: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string', default: fileURLToPath(new URL('../results/paper', import.meta.url)) },
    resume: { type: 'boolean', default: false },
  },
})
const models = shippedModels()
  .map(({ name, spec }) => ({ spec, heldout: join(shippedModelsDirectory(), name, 'heldout.jsonl') }))
  .filter(({ heldout }) => existsSync(heldout))
const composite = join(shippedModelsDirectory(), 'composite.jsonl')
let shown = ''
const result = await runBenchPaper({
  models,
  ...(existsSync(composite) ? { composite } : {}),
  output: values.output,
  seed: Number(values.seed),
  questions: Number(values.questions),
  resume: values.resume,
  ...(positionals.length > 0 ? { parts: positionals as PaperPart[] } : {}), // an unknown part fails by name
  facts: {
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim(),
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores shared with other work (load ${loadavg()[0]?.toFixed(1)} at the start)`,
  },
  onProgress: (part, { done, total }) => {
    const line = `${part} ${Math.floor((done / total) * 20) * 5} %`
    if (line !== shown) process.stderr.write(`\r\x1b[K${line}`)
    shown = line
  },
})
process.stderr.write('\r\x1b[K')
console.log(result.text)
console.log(`\n${result.files.html}`)
