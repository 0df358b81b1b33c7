import { describe, expect, it } from 'vitest'
import { MEAN_TOKENS, type Outcome } from '../benchmarks/resilience/load.ts'
import { quantile } from '../benchmarks/resilience/node.ts'
import { type Order, POLICIES } from '../benchmarks/resilience/policies.ts'
import { createSimulatedNodes, runSimulated, type SimulatedNodes } from '../benchmarks/resilience/simulated-nodes.ts'
import { createRandom } from '../src/utils/random.ts'

/** Requests at random times for so many seconds of simulated time, at this share of what the nodes can carry. */
async function send(
  nodes: SimulatedNodes,
  load: { readonly share: number; readonly seconds: number; readonly seed: string; readonly deadlineMs?: number },
  order: Order = candidates => candidates,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly begun: readonly number[] }> {
  const { share, seconds, seed, deadlineMs = 30_000 } = load
  const before = nodes.models.map(model => model.begun)
  const capacity = nodes.models.reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0) / MEAN_TOKENS
  const outcomes = await runSimulated(nodes.clock, {
    random: createRandom(seed),
    perSecond: share * capacity,
    seconds,
    deadlineMs,
    model: () => nodes.failover(order(nodes.candidates(), nodes.outstanding)),
  })
  return { outcomes, begun: nodes.models.map((model, index) => model.begun - (before[index] ?? 0)) }
}

const shareOf = (begun: readonly number[], index: number): number =>
  (begun[index] ?? 0) / begun.reduce((sum, count) => sum + count, 0)

describe('work by predicted completion time', () => {
  it('goes to nodes of speeds 4:1 in about that proportion', async () => {
    const nodes = createSimulatedNodes([20, 80])
    await send(nodes, { share: 0.5, seconds: 10, seed: 'warm' })
    const { begun } = await send(nodes, { share: 0.9, seconds: 60, seed: '4:1' })
    nodes.close()
    expect((begun[1] ?? 0) / (begun[0] ?? 0)).toBeGreaterThan(3.2)
    expect((begun[1] ?? 0) / (begun[0] ?? 0)).toBeLessThan(6)
  })

  it('leaves a node that slows five times within ten seconds, and comes back', async () => {
    const nodes = createSimulatedNodes([40, 40, 40, 40])
    const [victim] = nodes.models
    if (!victim) throw new Error('no node')
    const load = { share: 0.5, seconds: 15 }
    await send(nodes, { ...load, seed: 'warm' })
    const normal = shareOf((await send(nodes, { ...load, seed: 'normal' })).begun, 0)
    const perSecond = { ...load, share: load.share * (160 / 128) } // the rate stays, the capacity does not
    victim.tokensPerSecond = 8
    await send(nodes, { ...perSecond, seconds: 10, seed: 'noticed' })
    const slowed = shareOf((await send(nodes, { ...perSecond, seed: 'slowed' })).begun, 0)
    victim.tokensPerSecond = 40
    await send(nodes, { ...load, seconds: 20, seed: 'recovers' })
    const back = shareOf((await send(nodes, { ...load, seed: 'back' })).begun, 0)
    nodes.close()
    expect(slowed / normal).toBeLessThan(0.4)
    expect(back / normal).toBeGreaterThan(0.75)
  })

  it('answers more in time, and 95 of 100 sooner, than plain balancers do, up to what unequal nodes can carry', async () => {
    const DEADLINE_MS = 3000
    const figures = async (policy: string, share: number) => {
      const order = POLICIES[policy]?.(1)
      const nodes = createSimulatedNodes([5, 40, 10, 20, 10, 5])
      await send(nodes, { share: 0.5, seconds: 10, seed: 'warm' }, order)
      const { outcomes } = await send(
        nodes,
        { share, seconds: 40, seed: `load ${share}`, deadlineMs: DEADLINE_MS },
        order,
      )
      nodes.close()
      const times = outcomes.map(({ ms }) => Math.min(ms ?? DEADLINE_MS, DEADLINE_MS))
      return { inTime: times.filter(ms => ms < DEADLINE_MS).length / times.length, p95: quantile(times, 0.95) }
    }
    for (const share of [0.7, 1]) {
      const own = await figures('completion time', share)
      for (const policy of ['round robin', 'random', 'least outstanding']) {
        const other = await figures(policy, share)
        expect(own.inTime, `${policy} at ${share}`).toBeGreaterThan(other.inTime)
        expect(own.p95, `${policy} at ${share}`).toBeLessThanOrEqual(other.p95)
      }
    }
    expect((await figures('completion time', 0.7)).p95).toBeLessThan(1600)
  })
})
