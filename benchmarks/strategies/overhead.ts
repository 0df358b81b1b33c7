/**
 * What the coordinator itself costs per call of a model, in process: analysis, choice, pathway, ledger, events, trace.
 * The models do nothing (a finished text, no waiting); the floor is reading those models directly.
 * `npx tsx benchmarks/strategies/overhead.ts [rounds]`; the target is under 0.3 ms per call.
 */
import { performance } from 'node:perf_hooks'
import type { Coordinator } from '../../src/interaction/index.ts'
import { createCoordinator } from '../../src/interaction/index.ts'
import type { LanguageModel } from '../../src/resource/index.ts'
import type { Candidate, CapabilityMap, Matcher, Task } from '../../src/service/index.ts'
import { createFailoverModel, createTaskAnalyser } from '../../src/service/index.ts'
import { createScriptedCard } from '../../src/testing/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { createRandom } from '../../src/utils/random.ts'
import { median, writeResult } from '../support.ts'

const rounds = Number(process.argv[2] ?? 300)
const WARM_UP = 100

const model = (id: string): LanguageModel => ({
  card: createScriptedCard({ id, node: `node-${id}`, card: { tags: ['skill:arithmetic'] } }),
  async *generate() {
    yield { type: 'text-delta', text: '85' }
    yield { type: 'finish', reason: 'stop', usage: { promptTokens: 10, completionTokens: 1 } }
  },
})
const models = ['a', 'b', 'c', 'd', 'e'].map(model)
const abilities: CapabilityMap = {
  ability: () => ({ mean: 0.8, deviation: 0.1, evidence: 20 }),
  observe: () => undefined,
}
const candidates: readonly Candidate[] = models.map(each => ({
  model: each,
  name: `${each.card.id}@${each.card.node}`,
  ability: abilities.ability('', ''),
  latencyMs: 1,
  cost: 0,
}))
const matcher: Matcher = {
  candidates: reference =>
    reference.kind === 'model' ? candidates.filter(each => each.model.card.id === reference.id) : candidates,
}
const coordinator: Coordinator = createCoordinator({
  matcher,
  abilities,
  analyser: createTaskAnalyser(),
  failover: (list, onSwitch) => createFailoverModel(list, { clock: systemClock, onSwitch }),
  clock: systemClock,
  random: createRandom(1),
})
const task: Task = {
  id: 'bench',
  messages: [{ role: 'user', content: 'What is 38 + 47?' }],
  options: {},
  budget: {},
  preference: { quality: 1, cost: 0, latency: 0.01 },
}

async function once(pathway: string): Promise<number> {
  const run = coordinator.ask(task, { pathway })
  let calls = 0
  for (let step = await run.next(); !step.done; step = await run.next()) if (step.value.type === 'call-end') calls++
  return calls
}
async function direct(): Promise<number> {
  for await (const _ of (models[0] as LanguageModel).generate(task));
  return 1
}

const ways: Readonly<Record<string, () => Promise<number>>> = {
  'the model itself': direct,
  auto: () => once('auto'),
  a: () => once('a'),
  'a > b > c': () => once('a > b > c'),
  'weighted(a|b|c|d|e)': () => once('weighted(a|b|c|d|e)'),
  'moa, 16 calls': () => once('moa(a|b|c|d|e, layers=3, by=a)'),
}
const times = new Map(Object.keys(ways).map(name => [name, [] as number[]]))
const calls = new Map<string, number>()
/** Processor time: what remains true on a machine that does other things too. */
const cpu = new Map<string, number>()
for (let round = -WARM_UP; round < rounds; round++)
  for (const [name, way] of round % 2 === 0 ? Object.entries(ways) : Object.entries(ways).toReversed()) {
    const used = process.cpuUsage()
    const started = performance.now()
    const made = await way()
    if (round >= 0) times.get(name)?.push((performance.now() - started) / made)
    calls.set(name, made)
    const { user, system } = process.cpuUsage(used)
    if (round >= 0) cpu.set(name, (cpu.get(name) ?? 0) + (user + system) / 1000 / made / rounds)
  }

const rows = [...times].map(([way, values]) => ({
  way,
  calls: calls.get(way) ?? 0,
  msPerCall: Number(median(values).toFixed(4)),
  cpuMsPerCall: Number((cpu.get(way) ?? 0).toFixed(4)),
  p90: Number((values.toSorted((x, y) => x - y)[Math.floor(values.length * 0.9)] ?? 0).toFixed(4)),
}))
console.table(rows)
writeResult('strategies-overhead', { question: 'coordinator overhead per call, models excluded', rounds, rows })
