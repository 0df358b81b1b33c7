/**
 * Routers on recorded answers of real models; the sets are read from outside the repository.
 *
 *     npx tsx benchmarks/routing/run.ts --set <dir> --train <file> --test <file> [--decisions <file>] [--strip]
 *       [--max-parameters 13] [--no-combine] [--results <file.json>]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { formatRoutingBench, runRoutingBench } from '../../src/evaluation/routing/routing-bench.ts'

const { values } = parseArgs({
  options: {
    set: { type: 'string' },
    train: { type: 'string' },
    test: { type: 'string' },
    decisions: { type: 'string' },
    results: { type: 'string' },
    strip: { type: 'boolean', default: false },
    combine: { type: 'boolean', default: true },
    'max-parameters': { type: 'string' },
  },
  allowNegative: true,
})
if (!values.set || !values.train || !values.test) throw new Error('expected --set, --train and --test')
const { strip, combine, results, decisions, 'max-parameters': limit } = values
const result = runRoutingBench({
  set: values.set,
  train: values.train,
  test: values.test,
  strip,
  combine,
  ...(decisions ? { decisions } : {}),
  ...(limit ? { maxParameters: Number(limit) } : {}),
  onProgress: message => console.error(message),
})
console.log(formatRoutingBench(result))
if (results) {
  const command = `npx tsx benchmarks/routing/run.ts --set <${result.set}> --train train --test test_public${strip ? ' --strip' : ''}${combine ? '' : ' --no-combine'}${limit ? ` --max-parameters ${limit}` : ''}`
  writeFileSync(
    results,
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), command, node: process.version, ...result }, null, 2)}\n`,
  )
}
