import { keyOf, logOddsWeight, tally } from '../../src/interaction/index.ts'
import type { Analysis } from '../../src/service/index.ts'
import type { RecordedRow } from './recorded-data.ts'

/** The product's weighted vote on recorded answers without running a pathway: for choices on train. */
export interface Voters {
  elect(
    row: RecordedRow,
    members: readonly number[],
    abilities: readonly number[],
  ): { readonly winner: number; readonly confidence: number }
}

const OPTIONS: Readonly<Record<string, number>> = { boolean: 2, choice: 4 }
const OPEN = 10

export function createVoters(rows: readonly RecordedRow[], analyse: (row: RecordedRow) => Analysis): Voters {
  const read = new Map(
    rows.map(row => {
      const { format } = analyse(row)
      return [
        row.id,
        { options: OPTIONS[format] ?? OPEN, keys: row.responses.map(text => keyOf(text, format)) },
      ] as const
    }),
  )
  return {
    elect(row, members, abilities) {
      const { options = OPEN, keys = [] } = read.get(row.id) ?? {}
      const { groups } = tally(
        members.map(member => ({
          answer: { text: '', by: String(member), usage: { promptTokens: 0, completionTokens: 0 } },
          key: keys[member],
          weight: logOddsWeight(abilities[member] ?? 0, options),
        })),
      )
      const [first] = groups
      if (!first) return { winner: members[0] ?? 0, confidence: 0 }
      const said = groups.reduce((sum, { weight }) => sum + Math.exp(weight), 0)
      const confidence = Math.exp(first.weight) / (said + Math.max(0, options - groups.length))
      return { winner: Number(first.answers[0]?.by), confidence }
    },
  }
}
