/**
 * Strategies that need no new model calls, replayed on recorded answers of real models by the product's coordinator,
 * against best single (chosen on train), random member and oracle. Every choice (members, their number, pairs) is made
 * on train; the public test is looked at once. The data is not part of this repository (RouterBench as RouterDC stores
 * it; MMLU-Pro's published model outputs): its directory is given on the command line.
 * `npx tsx benchmarks/strategies/recorded.ts <directory with mmlupro28/ and routerbench3/>`
 */
import { join } from 'node:path'
import { writeResult } from '../support.ts'
import { readMmluPro, readRouterBench } from './recorded-data.ts'
import { mmluPro } from './recorded-mmlu-pro.ts'
import { routerBench } from './recorded-router-bench.ts'

const directory = process.argv[2]
if (directory === undefined) throw new Error('expected the directory that holds mmlupro28 and routerbench3')
const bench = await routerBench(readRouterBench(join(directory, 'routerbench3')))
console.log('routerbench3, public test')
console.table(bench.table)
console.log(bench.guarantee)
const pro = await mmluPro(readMmluPro(join(directory, 'mmlupro28'), 13))
console.log('mmlupro28, models up to 13 B active parameters, public test')
console.table(pro.table)
console.log(pro.choice)
writeResult('strategies-recorded', {
  question: 'what do votes, cascades and gates gain over the best single model, on recorded answers of real models?',
  routerbench3: bench,
  mmlupro28: pro,
})
