/**
 * Question: does the network answer each field as well as that field's specialist does, when nobody says which field it is?
 * Run against a running network (`modelnet start`): npx tsx benchmarks/specialists/mixed-fields.ts --url http://127.0.0.1:8747
 *   [--key key] [--per-field 60] [--seed 1] [--concurrency 4]
 * Held-out questions of every specialist are mixed and sent through the gateway as `modelnet bench ask` does; beside
 * stands each specialist's own accuracy on the same questions (the model asked by its id through the same gateway).
 * Writes benchmarks/results/mixed-fields.json.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { shippedModels, shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import {
  compare,
  evaluate,
  gatewaySystem,
  loadJsonl,
  type Question,
  type Row,
  sample,
  summarise,
  terminalReport,
} from '../../src/evaluation/index.ts'

/** They answer no questions of a field of their own. */
const HELPERS = new Set(['generalist', 'planner', 'reviewer'])
/** What the check allows: one point. */
const TOLERANCE = 0.01

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8747' },
    key: { type: 'string' },
    'per-field': { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '4' },
  },
})
const access = { url: values.url, ...(values.key === undefined ? {} : { key: values.key }) }
const options = { seed: Number(values.seed), concurrency: Number(values.concurrency) }

const fields: { readonly id: string; readonly name: string; readonly questions: readonly Question[] }[] = []
for (const { name, spec } of shippedModels()) {
  if (HELPERS.has(name)) continue
  const all = await loadJsonl(join(shippedModelsDirectory(), name, 'heldout.jsonl'))
  fields.push({ id: spec.id, name, questions: sample(all, Number(values['per-field']), options.seed) })
}
const mixed = sample(
  fields.flatMap(field => field.questions),
  Number.POSITIVE_INFINITY,
  options.seed,
)
const byNetwork = await evaluate([gatewaySystem({ ...access, name: 'network' })], mixed, options)
const alone: Row[] = []
for (const { id, questions } of fields)
  alone.push(
    ...(await evaluate([gatewaySystem({ ...access, model: id, name: 'specialists' })], questions, options)).rows,
  )
const inOrder = (rows: readonly Row[]): readonly Row[] =>
  mixed.flatMap(({ id }) => rows.filter(row => row.question === id))
const network = inOrder(byNetwork.rows)
const specialists = inOrder(alone)

const of = (rows: readonly Row[], questions: readonly Question[]): readonly Row[] =>
  rows.filter(row => questions.some(({ id }) => id === row.question))
const perField = fields.flatMap(({ name, questions }) => [
  summarise(`${name}: network`, of(network, questions)),
  summarise(`${name}: specialist`, of(specialists, questions)),
])
const total = [summarise('network, no labels', network), summarise('specialists, told the field', specialists)]
const comparison = compare(network, specialists, options.seed)
const within = comparison.difference.estimate >= -TOLERANCE
console.log(terminalReport([...perField, ...total], [comparison]))
console.log(
  `\n${mixed.length} questions of ${fields.length} fields: ${within ? 'within' : 'NOT within'} ${TOLERANCE * 100} point of the specialists`,
)

const lost = network.flatMap((row, index) => {
  const [question, alone] = [mixed[index], specialists[index]]
  if (!question || alone?.verdict !== 'right' || row.verdict === 'right') return []
  return [
    {
      question: question.question,
      tag: question.tag,
      expected: question.answer,
      answer: row.text,
      members: row.members,
    },
  ]
})
for (const { question, members, answer, expected } of lost)
  console.log(`lost: ${question} | ${members?.join(', ')} | ${answer} | ${expected}`)

const output = join(dirname(fileURLToPath(import.meta.url)), '../results/mixed-fields.json')
mkdirSync(dirname(output), { recursive: true })
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`
writeFileSync(
  output,
  `${JSON.stringify({ date: new Date().toISOString(), commit, machine, seed: options.seed, total, perField, comparison, within, lost }, null, 1)}\n`,
)
process.exitCode = within ? 0 : 1
