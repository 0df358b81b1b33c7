import type { Block } from '../report/document.ts'
import { percentWithInterval } from '../report/format.ts'
import type { Evaluation } from '../run.ts'
import { type Interval, wilson } from '../statistics.ts'
import { rowsOf } from '../summary.ts'

/** What a combination made of what its members alone had answered. */
export interface OutcomeSplit {
  /** Of questions every member answers right, how many stay right. */
  readonly keptRight: Interval & { readonly n: number }
  /** Of questions some but not all answer right, how many come out right. */
  readonly splitRight: Interval & { readonly n: number }
  /** Of questions no member answers right, how many come out right. */
  readonly rescued: Interval & { readonly n: number }
}

/** DuetNet figure 8, %, over 1200 pair-questions. */
const PUBLISHED = { keptRight: 95, splitRight: 73, rescued: 37 }

/**
 * Accuracy and creativity as rates (vision paper figures 5 and 7, DuetNet figure 8), over all questions of an
 * evaluation that holds the members alone and the combinations of them.
 */
export function outcomeSplit(
  evaluation: Evaluation,
  groups: readonly { readonly members: readonly string[]; readonly system: string }[],
): OutcomeSplit {
  const counts = { keptRight: [0, 0], splitRight: [0, 0], rescued: [0, 0] } satisfies Record<
    keyof OutcomeSplit,
    [number, number]
  >
  for (const { members, system } of groups) {
    const alone = members.map(member => rowsOf(evaluation, member))
    for (const [index, row] of rowsOf(evaluation, system).entries()) {
      const right = alone.filter(rows => rows[index]?.verdict === 'right').length
      const count = counts[right === members.length ? 'keptRight' : right > 0 ? 'splitRight' : 'rescued']
      count[1] = (count[1] ?? 0) + 1
      if (row.verdict === 'right') count[0] = (count[0] ?? 0) + 1
    }
  }
  const rate = ([right = 0, n = 0]: readonly number[]): Interval & { n: number } => ({ ...wilson(right, n), n })
  return { keptRight: rate(counts.keptRight), splitRight: rate(counts.splitRight), rescued: rate(counts.rescued) }
}

export function outcomeBlocks(splits: Readonly<Record<string, OutcomeSplit>>): readonly Block[] {
  const show = (rate: Interval & { readonly n: number }): string =>
    rate.n === 0 ? 'no case' : `${percentWithInterval(rate)} of ${rate.n}`
  return [
    {
      kind: 'table',
      caption: `Figure 8, and figures 5 and 7 of the vision paper as rates, % [95 %]. Published for DuetNet: ${PUBLISHED.keptRight} / ${PUBLISHED.splitRight} / ${PUBLISHED.rescued}.`,
      table: {
        head: ['method', 'all right: kept', 'split: decided right', 'all wrong: rescued'],
        rows: Object.entries(splits).map(([method, split]) => [
          method,
          show(split.keptRight),
          show(split.splitRight),
          show(split.rescued),
        ]),
      },
    },
  ]
}
