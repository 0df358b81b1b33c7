/**
 * At and beyond what unequal nodes can carry, does matching by predicted completion time give more answers in time, and
 * sooner, than round robin, random choice and the fewest outstanding calls?
 *
 * Six nodes of different speeds in this process over a network in memory; the models have no weights and take a set
 * time for each token. Requests arrive at random, whether or not answers come back, and are worth something for three
 * seconds. All policies use the same candidates and admission; those with `+ failover` differ in the order only, the
 * others pick one node. All policies run side by side, each with nodes of its own, so that whatever the machine does
 * meets them alike; how late the event loop was is in the result. `balancing.ts` asks the same by a simulated clock,
 * which a busy machine does not disturb. Goodput: answers in time per second of wall clock.
 *
 * Run: npx tsx benchmarks/resilience/sweep.ts [--seeds 3] [--seconds 30]
 * Takes seeds x 3 x (seconds + 10 s), so six minutes; results are written after each load and seed.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { createMemoryHub } from '../../src/network/index.ts'
import type { LanguageModel } from '../../src/resource/index.ts'
import { systemClock as clock } from '../../src/utils/clock.ts'
import { createRandom } from '../../src/utils/random.ts'
import { median, writeResult } from '../support.ts'
import { createPacedModel, MEAN_TOKENS, openLoop } from './load.ts'
import { quantile, seesAll, startBenchNode, until } from './node.ts'
import { POLICIES } from './policies.ts'

const ID = 'bench/paced'
/** Tokens per second of each node. */
const SPEEDS = [40, 20, 10, 10, 5, 5]
const LOADS = [0.6, 0.9, 1.3]
const DEADLINE_MS = 3000
const WARM_UP_S = 5

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '30' } },
})
const seconds = Number(values.seconds)
const capacity = SPEEDS.reduce((sum, speed) => sum + speed, 0) / MEAN_TOKENS

async function measure(policy: string, load: number, seed: number) {
  const hub = createMemoryHub({ clock, latencyMs: () => 2 })
  const asker = await startBenchNode({ hub })
  const holders = await Promise.all(
    SPEEDS.map(speed => startBenchNode({ hub, bootstrap: [asker.address], models: [createPacedModel(ID, speed)] })),
  )
  await until('the network forms', () => seesAll([asker, ...holders]))
  const order = POLICIES[policy]?.(seed)
  const model = (): LanguageModel => {
    const candidates = asker.candidates(ID)
    return asker.failover(order?.(candidates, asker.outstanding) ?? candidates)
  }
  // speeds are learned, not told: the same warm-up for every policy is not counted
  const warmUp = { random: createRandom(`warm ${seed}`), perSecond: 0.5 * capacity, seconds: WARM_UP_S }
  await openLoop({ ...warmUp, deadlineMs: 10 * DEADLINE_MS, model })
  const began = clock.monotonic()
  const outcomes = await openLoop({
    random: createRandom(`sweep ${seed} ${load}`),
    perSecond: load * capacity,
    seconds,
    deadlineMs: DEADLINE_MS,
    model,
  })
  const tookS = (clock.monotonic() - began) / 1000
  await Promise.all([asker, ...holders].map(node => node.kill()))
  const times = outcomes.flatMap(({ ms }) => (ms !== undefined && ms <= DEADLINE_MS ? [ms] : []))
  // what never came is later than all that did
  const all = outcomes.map(({ ms }) => Math.round(ms ?? Number.POSITIVE_INFINITY))
  const p95 = quantile(all, 0.95)
  return {
    policy,
    load,
    seed,
    sent: outcomes.length,
    goodput: Number((times.length / tookS).toFixed(2)),
    inTimeShare: Number((times.length / outcomes.length).toFixed(3)),
    p50Ms: Math.round(quantile(times, 0.5)),
    p95Ms: Number.isFinite(p95) ? p95 : 'never',
    p95OfAnsweredMs: Math.round(quantile(times, 0.95)),
  }
}

const rows: Awaited<ReturnType<typeof measure>>[] = []
const lag = monitorEventLoopDelay({ resolution: 10 })
lag.enable()
const names = Object.keys(POLICIES)
for (let seed = 1; seed <= Number(values.seeds); seed++)
  for (const load of LOADS) {
    const found = await Promise.all(names.map(policy => measure(policy, load, seed)))
    for (const row of found) console.log(JSON.stringify(row))
    rows.push(...found)
    write()
  }
console.table(summaryOf())

function summaryOf() {
  return LOADS.flatMap(load =>
    names.flatMap(policy => {
      const own = rows.filter(row => row.load === load && row.policy === policy)
      if (own.length === 0) return []
      const middle = (of: (row: (typeof own)[number]) => number): number => median(own.map(of))
      return {
        load,
        policy,
        seeds: own.length,
        goodput: middle(row => row.goodput),
        inTimeShare: middle(row => row.inTimeShare),
        p95OfAnsweredMs: middle(row => row.p95OfAnsweredMs),
      }
    }),
  )
}

function write(): void {
  writeResult('resilience-sweep', {
    question: 'Goodput and p95 of policies on unequal nodes under an open loop of rising rate',
    setting: `nodes of ${SPEEDS.join(', ')} tokens/s in one process over a network in memory with 2 ms one way, policies side by side; models without weights that take a set time for each token; load 1 is ${capacity.toFixed(1)} requests/s of ${MEAN_TOKENS} tokens on average, for ${seconds} s; in time: ${DEADLINE_MS} ms; ${WARM_UP_S} s of warm-up at load 0.5 not counted; medians over seeds`,
    eventLoopDelayMs: { p50: lag.percentile(50) / 1e6, p99: lag.percentile(99) / 1e6 },
    summary: summaryOf(),
    rows,
  })
}
