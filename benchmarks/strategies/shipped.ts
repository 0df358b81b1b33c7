/**
 * Every strategy of the product on the shipped specialists: questions on which several members are able, those of which
 * each knows a part, mixed questions of all fields, and composite ones. Everything runs through the product's coordinator, matcher and failover, in this
 * process, and is the same on every run. Best single member, members' order and thresholds are chosen on one half, only
 * the other is reported. Beside every strategy: self-consistency of the best single member at equal tokens.
 * `npx tsx benchmarks/strategies/shipped.ts [questions reported per set, 100 by default]`
 */
import { strategies } from '../../src/interaction/index.ts'
import { writeResult } from '../support.ts'
import { loadFamily } from '../token-level/models.ts'
import { mean } from './score-table.ts'
import { createShippedNetwork, type Outcome } from './shipped-network.ts'
import type { QuestionSet } from './shipped-sets.ts'
import {
  COMPOSITE_PATHWAYS,
  compositeQuestions,
  dividedQuestions,
  MIXED_PATHWAYS,
  mixedQuestions,
  NOT_APPLICABLE,
  SHARED_MEMBERS,
  sharedPathways,
  sharedQuestions,
} from './shipped-sets.ts'
import { oracleMember, randomMember, rowOf, type ShippedRow, shareRight } from './shipped-table.ts'

const size = Number(process.argv[2] ?? 100)
/** Most samples of self-consistency; beyond that a strategy had more tokens, which the row says. */
const MAX_SAMPLES = 16

const family = await loadFamily()
const network = createShippedNetwork(family)
const started = performance.now()

interface Measured {
  readonly set: string
  readonly chosenOn: number
  readonly bestSingle: string
  readonly table: readonly ShippedRow[]
}

async function compare(
  set: QuestionSet,
  members: readonly string[],
  pathwaysOf: (ranked: {
    names: readonly string[]
    chosenOn: ReadonlyMap<string, readonly Outcome[]>
  }) => Readonly<Record<string, string>>,
): Promise<Measured> {
  const alone = (name: string): string => `call(modelnet/${name}, confidence=true)`
  const chosenOn = new Map<string, readonly Outcome[]>()
  const reported = new Map<string, readonly Outcome[]>()
  for (const name of members) {
    chosenOn.set(name, await network.measure(set.chosenOn, alone(name)))
    reported.set(name, await network.measure(set.reported, alone(name)))
  }
  const names = members.toSorted((a, b) => shareRight(chosenOn.get(b) ?? []) - shareRight(chosenOn.get(a) ?? []))
  const [best = ''] = names
  const single = reported.get(best) ?? []
  const perAnswer = Math.max(1, mean(single.map(({ tokens }) => tokens)))
  const consistent = new Map<number, number>([[1, shareRight(single)]])
  const table: ShippedRow[] = [
    ...names.map((name, index) =>
      rowOf(index === 0 ? `best single: ${name}` : `member: ${name}`, reported.get(name) ?? [], single),
    ),
    rowOf('random member', randomMember([...reported.values()]), single),
    rowOf('oracle: any member', oracleMember([...reported.values()]), single),
  ]
  for (const [strategy, pathway] of Object.entries(pathwaysOf({ names, chosenOn }))) {
    const outcomes = await network.measure(set.reported, pathway)
    const samples = Math.min(
      MAX_SAMPLES,
      Math.max(1, Math.round(mean(outcomes.map(({ tokens }) => tokens)) / perAnswer)),
    )
    const share =
      consistent.get(samples) ??
      shareRight(await network.measure(set.reported, `consistency(modelnet/${best}, n=${samples})`))
    consistent.set(samples, share)
    table.push(
      rowOf(strategy, outcomes, single, { pathway, consistency: `${(100 * share).toFixed(1)} (n=${samples})` }),
    )
  }
  console.log(`\n${set.name}: best single ${best} (chosen on ${set.chosenOn.length} others)`)
  console.table(table.map(({ pathway: _, ...row }) => row))
  return { set: set.name, chosenOn: set.chosenOn.length, bestSingle: best, table }
}

const fields = family.names.filter(name => !['planner', 'generalist', 'reviewer'].includes(name))
const specialists = family.names.filter(name => name !== 'planner' && name !== 'reviewer')
const sets = [
  await compare(await sharedQuestions(family, size), SHARED_MEMBERS, sharedPathways),
  await compare(await dividedQuestions(family, size), SHARED_MEMBERS, sharedPathways),
  await compare(await mixedQuestions(family, fields, size), specialists, () => MIXED_PATHWAYS),
  await compare(await compositeQuestions(Math.ceil(size / 2)), specialists, () => COMPOSITE_PATHWAYS),
]
const measured = new Set(sets.flatMap(({ table }) => table.map(({ strategy }) => strategy)))
const missing = strategies().flatMap(({ name }) => (measured.has(name) || name in NOT_APPLICABLE ? [] : [name]))
if (missing.length > 0) throw new Error(`no row for the strategies ${missing.join(', ')}`)
const seconds = Math.round((performance.now() - started) / 1000)
console.log(`${seconds} s, ${network.memory.asked} calls made, ${network.memory.remembered} told again`)
writeResult('strategies-shipped', {
  question: 'what does each strategy gain on the shipped specialists over their best single member?',
  models: family.names,
  notApplicable: NOT_APPLICABLE,
  seconds,
  calls: network.memory,
  sets,
})
await family.close()
