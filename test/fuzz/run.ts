/**
 * Fuzzes everything that reads what a peer sent, for a time: `npm run fuzz -- [seconds] [seed]`. Prints what was done;
 * stops with status 1 and the seed at the first input that does more than be refused.
 */
import { createRandom } from '../../src/utils/random.ts'
import { FUZZ_TARGETS } from './targets.ts'

const seconds = Number(process.argv[2] ?? 60)
const start = Number(process.argv[3] ?? Date.now() % 2 ** 32)
const until = performance.now() + seconds * 1000
const runs: Record<string, number> = {}
let current = ''

process.on('unhandledRejection', error => fail(error))

for (let seed = start; performance.now() < until; seed++)
  for (const [name, target] of Object.entries(FUZZ_TARGETS)) {
    current = `${name} with seed ${seed}`
    const began = performance.now()
    await target(createRandom(seed)).catch(fail)
    const ms = performance.now() - began
    if (ms > 250) console.warn(`slow: ${current} took ${ms.toFixed(0)} ms`)
    runs[name] = (runs[name] ?? 0) + 1
  }
const { rss } = process.memoryUsage()
console.log(`no fault in ${seconds} s from seed ${start}:`, runs, `memory ${(rss / 1e6).toFixed(0)} MB`)

function fail(error: unknown): void {
  console.error(`fault: ${current}`, error)
  process.exit(1)
}
