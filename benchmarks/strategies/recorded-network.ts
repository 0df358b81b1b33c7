import type { AskResult, PathwayEvent, Term } from '../../src/interaction/index.ts'
import { createCoordinator } from '../../src/interaction/index.ts'
import type { LanguageModel } from '../../src/resource/index.ts'
import type { Analysis, Candidate, Matcher } from '../../src/service/index.ts'
import { createScriptedCard } from '../../src/testing/index.ts'
import { systemClock } from '../../src/utils/clock.ts'
import { createRandom } from '../../src/utils/random.ts'
import type { RecordedRow } from './recorded-data.ts'

/** What one pathway did on one question. */
export interface Replay {
  readonly score: number
  readonly cost: number
  readonly calls: number
  readonly result: AskResult
}

/**
 * Models that answer what they answered when they were recorded, behind the product's own coordinator. Only pathways
 * whose calls do not read other answers can be replayed: routes, votes, cascades, gates.
 */
export function createRecordedNetwork(
  models: readonly string[],
  analyse: (row: RecordedRow) => Analysis,
): { ask(row: RecordedRow, pathway: string | Term, abilities: readonly number[]): Promise<Replay> } {
  let current: { row: RecordedRow; abilities: readonly number[] } | undefined
  const ids = models.map(name => name.replace(/[^\p{L}\p{N}._-]/gu, '_'))
  const ability = (index: number) => ({ mean: current?.abilities[index] ?? 0.5, deviation: 0, evidence: 100 })
  const recorded = ids.map(
    (id, index): LanguageModel => ({
      card: createScriptedCard({ id, node: `n${index}` }),
      async *generate() {
        const text = current?.row.responses[index] ?? ''
        if (text !== '') yield { type: 'text-delta', text }
        yield { type: 'finish', reason: 'stop', usage: { promptTokens: 0, completionTokens: 0 } }
      },
    }),
  )
  const matcher: Matcher = {
    candidates: reference =>
      recorded
        .flatMap((model, index): Candidate[] =>
          reference.kind === 'model' && model.card.id !== reference.id
            ? []
            : [{ model, name: `${model.card.id}@n${index}`, ability: ability(index), latencyMs: 1, cost: 0 }],
        )
        .sort((a, b) => b.ability.mean - a.ability.mean),
  }
  let analysis: Analysis | undefined
  const coordinator = createCoordinator({
    matcher,
    abilities: {
      ability: name => ability(ids.indexOf(name.slice(0, name.lastIndexOf('@')))),
      observe: () => undefined,
    },
    analyser: { analyse: () => analysis as Analysis },
    failover: ([first]) => (first as Candidate).model,
    clock: systemClock,
    random: createRandom(1),
  })
  return {
    async ask(row, pathway, abilities) {
      current = { row, abilities }
      analysis = analyse(row)
      const events: PathwayEvent[] = []
      const task = {
        id: row.id,
        messages: [{ role: 'user' as const, content: row.query }],
        options: { seed: 1 },
        budget: {},
        preference: { quality: 1, cost: 0, latency: 0 },
      }
      const run = coordinator.ask(task, { pathway })
      let step = await run.next()
      for (; !step.done; step = await run.next()) events.push(step.value)
      const result = step.value
      const called = events.flatMap(event => (event.type === 'call-start' ? [ids.indexOf(event.model)] : []))
      // the text that was given is one of those that were recorded; its recorded score is the score
      const winner = called.find(index => (row.responses[index] ?? '').trim() === result.text.trim())
      return {
        score: winner === undefined ? 0 : (row.scores[winner] ?? 0),
        cost: called.reduce((sum, index) => sum + (row.costs[index] ?? 0), 0),
        calls: called.length,
        result,
      }
    },
  }
}

/** Name of a recorded model as pathways refer to it. */
export const referenceTo = (model: string): string => model.replace(/[^\p{L}\p{N}._-]/gu, '_')
