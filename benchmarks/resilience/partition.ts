/**
 * Do both halves of a network of six answer while they cannot reach each other, and how soon are they one again?
 *
 * Six nodes in this process over a network in memory, each with a model without weights that answers at once. The
 * network is split 3+3; each side is asked at each of its nodes; then it is healed. Converged: every node sees all six
 * alive, with their cards. Limit: 5 s.
 *
 * Run: npx tsx benchmarks/resilience/partition.ts [--rounds 5]
 */
import { parseArgs } from 'node:util'
import { createMemoryHub } from '../../src/network/index.ts'
import { systemClock as clock } from '../../src/utils/clock.ts'
import { median, writeResult } from '../support.ts'
import { createPacedModel } from './load.ts'
import { type BenchNode, isAlive, seesAll, startBenchNode, until } from './node.ts'

const ID = 'bench/paced'
const SPLIT_MS = 8000

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
const hub = createMemoryHub({ clock, latencyMs: () => 2 })
const nodes: BenchNode[] = []
for (let index = 0; index < 6; index++)
  nodes.push(
    await startBenchNode({
      hub,
      bootstrap: nodes.slice(0, 1).map(node => node.address),
      models: [createPacedModel(ID, 1000)],
    }),
  )
await until('the network forms', () => seesAll(nodes))
const sides = [nodes.slice(0, 3), nodes.slice(3)]

async function answersOf(asked: readonly BenchNode[]): Promise<number> {
  const request = { messages: [{ role: 'user', content: '3' }] } as const
  const answers = asked.map(async node => {
    for await (const part of node.failover(node.candidates(ID)).generate(request)) if (part.type === 'finish') return 1
    return 0
  })
  const settled = await Promise.allSettled(answers)
  return settled.reduce((sum, answer) => sum + (answer.status === 'fulfilled' ? answer.value : 0), 0)
}

const rounds: object[] = []
const convergedMs: number[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  hub.partition(...sides.map(side => side.map(node => node.id)))
  const atOnce = await answersOf(nodes)
  const apartMs = await until('the sides lose each other', () =>
    sides.every((side, index) => side.every(node => sides[1 - index]?.every(other => !isAlive(node, other)))),
  )
  // longer than a suspected member is kept
  await clock.sleep(SPLIT_MS)
  const apart = await answersOf(nodes)
  hub.heal()
  const ms = await until('the network heals', () => seesAll(nodes), 120_000)
  convergedMs.push(ms)
  rounds.push({
    answeredAtOnce: atOnce,
    apartMs,
    answeredApart: apart,
    convergedMs: ms,
    answeredAfter: await answersOf(nodes),
  })
  console.log(rounds.at(-1))
}
await Promise.all(nodes.map(node => node.kill()))
writeResult('resilience-partition', {
  question: 'Answers on both sides of a partition 3+3 (of six asked), and milliseconds from healing until all see all',
  setting: `nodes in one process over a network in memory with 2 ms one way, split for ${SPLIT_MS} ms`,
  convergedMs: { median: median(convergedMs), worst: Math.max(...convergedMs) },
  rounds,
})
