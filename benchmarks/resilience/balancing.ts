/**
 * Which of several unequal nodes should a request be sent to? The order of matching (predicted completion time) against
 * round robin, random choice and the fewest outstanding calls, with the product's failover behind them and without,
 * from half to twice what the nodes can carry.
 *
 * Matching, call record, failover with hedging and admission are the product's; the clock is simulated, so every
 * figure is the same on any machine, however busy. A node takes a set time for each token and is heard of late: its
 * status is as old as membership makes it. Requests arrive at random whether or not answers come back (open loop), and
 * are worth something for three seconds. Goodput: answers in time per second until the last answer.
 *
 * Run: npx tsx benchmarks/resilience/balancing.ts [--seeds 3] [--seconds 60]
 */
import { parseArgs } from 'node:util'
import { createRandom } from '../../src/utils/random.ts'
import { median, writeResult } from '../support.ts'
import { MEAN_TOKENS, type Outcome } from './load.ts'
import { quantile } from './node.ts'
import { POLICIES } from './policies.ts'
import { createSimulatedNodes, runSimulated } from './simulated-nodes.ts'

/** Tokens per second of each node. */
const SPEEDS = [40, 20, 10, 10, 5, 5]
const LOADS = [0.5, 0.7, 0.9, 1, 1.2, 1.5, 2]
const DEADLINE_MS = 3000
const WARM_UP_S = 10
const CAPACITY = SPEEDS.reduce((sum, speed) => sum + speed, 0) / MEAN_TOKENS

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
  },
})
const seconds = Number(values.seconds)

async function measure(policy: string, load: number, seed: number) {
  const nodes = createSimulatedNodes(shuffled(SPEEDS, seed))
  const order = POLICIES[policy]?.(seed)
  const model = () => {
    const candidates = nodes.candidates()
    return nodes.failover(order?.(candidates, nodes.outstanding) ?? candidates)
  }
  // speeds are learned, not told: the same warm-up for every policy is not counted
  const warmUp = { random: createRandom(`warm ${seed}`), perSecond: 0.5 * CAPACITY, seconds: WARM_UP_S }
  await runSimulated(nodes.clock, { ...warmUp, deadlineMs: 10 * DEADLINE_MS, model })
  const before = nodes.begun()
  const began = nodes.clock.monotonic()
  const outcomes = await runSimulated(nodes.clock, {
    random: createRandom(`balancing ${seed} ${load}`),
    perSecond: load * CAPACITY,
    seconds,
    deadlineMs: DEADLINE_MS,
    model,
  })
  const tookS = (nodes.clock.monotonic() - began) / 1000
  nodes.close()
  const inTime = outcomes.flatMap(({ ms }) => (ms !== undefined && ms <= DEADLINE_MS ? [ms] : []))
  return {
    policy,
    load,
    seed,
    sent: outcomes.length,
    callsPerRequest: Number((nodes.begun() - before) / outcomes.length).toFixed(2),
    goodput: Number((inTime.length / tookS).toFixed(2)),
    inTimeShare: Number((inTime.length / outcomes.length).toFixed(3)),
    p50Ms: Math.round(quantile(inTime, 0.5)),
    p95Ms: Math.round(quantile(outcomes.map(timeOf), 0.95)),
    p95OfAnsweredMs: Math.round(quantile(inTime, 0.95)),
  }
}

/** Names say nothing of speeds. */
function shuffled(speeds: readonly number[], seed: number): readonly number[] {
  const random = createRandom(`names ${seed}`)
  const drawn = speeds.map(speed => ({ speed, at: random.next() }))
  return drawn.toSorted((a, b) => a.at - b.at).map(({ speed }) => speed)
}

/** What was not answered took the whole time, and was worth nothing. */
const timeOf = ({ ms }: Outcome): number => Math.min(ms ?? DEADLINE_MS, DEADLINE_MS)

const rows: Awaited<ReturnType<typeof measure>>[] = []
const names = Object.keys(POLICIES).filter(name => values.only === undefined || name === values.only)
for (let seed = 1; seed <= Number(values.seeds); seed++)
  for (const load of LOADS) for (const policy of names) rows.push(await measure(policy, load, seed))
const summary = LOADS.flatMap(load =>
  names.map(policy => {
    const own = rows.filter(row => row.load === load && row.policy === policy)
    const middle = (of: (row: (typeof own)[number]) => number): number => median(own.map(of))
    return {
      load,
      policy,
      goodput: middle(row => row.goodput),
      inTimeShare: middle(row => row.inTimeShare),
      p50Ms: middle(row => row.p50Ms),
      p95Ms: middle(row => row.p95Ms),
      callsPerRequest: middle(row => Number(row.callsPerRequest)),
    }
  }),
)
console.table(summary)
if (values.only === undefined)
  writeResult('resilience-balancing', {
    question: 'Goodput and p95 of policies on unequal nodes under an open loop of rising rate, by a simulated clock',
    setting: `nodes of ${SPEEDS.join(', ')} tokens/s; matching, call record, failover and admission of the product, clock and engines simulated; policies with failover try the other nodes in their order when one refuses or fails, the others pick one node; load 1 is ${CAPACITY.toFixed(1)} requests/s of ${MEAN_TOKENS} tokens on average; in time: ${DEADLINE_MS} ms, unanswered counts as that in p95; ${WARM_UP_S} s of warm-up at load 0.5 not counted; medians over seeds`,
    summary,
    rows,
  })
