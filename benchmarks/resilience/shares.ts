/**
 * Does work go where it is done sooner: to two nodes of speeds 4:1 in that proportion, and away from a node while it
 * is slowed five times?
 *
 * Nodes in this process over a network in memory; the models have no weights and take a set time for each token, since
 * the question is who is asked. Requests arrive at random, whether or not answers come back, at one asking node.
 * Limits: the slowed node has lost 60 % of its share from the tenth second on, and has it back in the end.
 *
 * Run: npx tsx benchmarks/resilience/shares.ts [--seeds 3]
 */
import { parseArgs } from 'node:util'
import { createMemoryHub } from '../../src/network/index.ts'
import { systemClock as clock } from '../../src/utils/clock.ts'
import { createRandom } from '../../src/utils/random.ts'
import { median, writeResult } from '../support.ts'
import { createPacedModel, MEAN_TOKENS, matched, openLoop } from './load.ts'
import { quantile, seesAll, startBenchNode, until } from './node.ts'

const ID = 'bench/paced'
const WINDOW_MS = 5000
/** Of what both nodes can carry: below 1 the fast one is free more often, so it gets more than its part. */
const LOADS = [0.7, 0.95, 1.1]
const DEADLINE_MS = 30_000

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '3' } } })

async function network(speeds: readonly number[]) {
  const hub = createMemoryHub({ clock, latencyMs: () => 2 })
  const models = speeds.map(speed => createPacedModel(ID, speed))
  const asker = await startBenchNode({ hub })
  const holders = await Promise.all(
    models.map(model => startBenchNode({ hub, bootstrap: [asker.address], models: [model] })),
  )
  await until('the network forms', () => seesAll([asker, ...holders]))
  return { asker, models, close: () => Promise.all([asker, ...holders].map(node => node.kill())) }
}

async function fourToOne(seed: number, load: number) {
  const speeds = [80, 20]
  const { asker, models, close } = await network(speeds)
  const perSecond = (load * 100) / MEAN_TOKENS
  const random = createRandom(`4:1 ${seed}`)
  const outcomes = await openLoop({
    random,
    perSecond,
    seconds: 20,
    deadlineMs: DEADLINE_MS,
    model: matched(asker, ID),
  })
  await close()
  const [fast = 0, slow = 0] = models.map(model => model.begun)
  const latencies = outcomes.flatMap(({ ms }) => (ms === undefined ? [] : [Math.round(ms)]))
  return { load, fast, slow, ratio: Number((fast / slow).toFixed(2)), p95: quantile(latencies, 0.95) }
}

async function slowed(seed: number) {
  const { asker, models, close } = await network([40, 40, 40, 40])
  const [victim] = models
  const random = createRandom(`slowed ${seed}`)
  const shares: number[] = []
  let before = models.map(model => model.begun)
  const timer = setInterval(() => {
    const now = models.map(model => model.begun)
    const made = now.map((count, index) => count - (before[index] ?? 0))
    before = now
    shares.push(
      Number(
        (
          (made[0] ?? 0) /
          Math.max(
            1,
            made.reduce((sum, count) => sum + count, 0),
          )
        ).toFixed(3),
      ),
    )
    if (victim && shares.length === 3) victim.tokensPerSecond = 8
    if (victim && shares.length === 7) victim.tokensPerSecond = 40
  }, WINDOW_MS)
  const perSecond = (0.5 * 160) / MEAN_TOKENS
  const outcomes = await openLoop({
    random,
    perSecond,
    seconds: 60,
    deadlineMs: DEADLINE_MS,
    model: matched(asker, ID),
  })
  clearInterval(timer)
  await close()
  const mean = (windows: readonly number[]): number => windows.reduce((sum, share) => sum + share, 0) / windows.length
  const normal = mean(shares.slice(0, 3))
  const lost = 1 - mean(shares.slice(5, 7)) / normal
  const regained = mean(shares.slice(9)) / normal
  return {
    shares,
    lostShare: Number(lost.toFixed(2)),
    regainedShare: Number(regained.toFixed(2)),
    sent: outcomes.length,
    failed: outcomes.flatMap(({ code }) => code ?? []),
  }
}

const slowdowns: Awaited<ReturnType<typeof slowed>>[] = []
const ratios: Awaited<ReturnType<typeof fourToOne>>[] = []
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  for (const load of LOADS) ratios.push(await fourToOne(seed, load))
  console.log(ratios.slice(-LOADS.length))
  slowdowns.push(await slowed(seed))
  console.log(slowdowns.at(-1))
}
writeResult('resilience-shares', {
  question: 'Shares of work of two nodes of speeds 4:1, and of one of four equal nodes while it is slowed five times',
  setting:
    'nodes in one process over a network in memory with 2 ms one way; models without weights that take a set time for each token; requests at random times, 50 % of capacity for the slowed node; windows of 5 s, slowed in windows 4 to 7; lost is over windows 6 and 7, regained over the last three',
  fourToOne: ratios,
  slowed: slowdowns,
  medians: {
    lostShare: median(slowdowns.map(({ lostShare }) => lostShare)),
    regainedShare: median(slowdowns.map(({ regainedShare }) => regainedShare)),
  },
})
