import type { Comparison, SystemSummary } from '../summary.ts'
import { formatTable, milliseconds, percent, percentWithInterval, probability, type TextTable } from './format.ts'

/** Accuracy with 95 % interval, abstentions, tokens, calls and latency of each system. */
export const summaryTable = (summaries: readonly SystemSummary[]): TextTable => ({
  head: ['system', 'n', 'accuracy % [95 %]', 'abstained', 'failed', 'tokens in', 'tokens out', 'calls', 'p50', 'p95'],
  rows: summaries.map(summary => [
    summary.name,
    String(summary.n),
    percentWithInterval(summary.accuracy),
    String(summary.abstained),
    String(summary.failed),
    summary.promptTokens.toFixed(1),
    summary.completionTokens.toFixed(1),
    summary.calls.toFixed(2),
    milliseconds(summary.p50Ms),
    milliseconds(summary.p95Ms),
  ]),
})

/** Paired differences in points with their interval, and exact McNemar. */
export const comparisonTable = (comparisons: readonly Comparison[]): TextTable => ({
  head: ['compared', 'difference [95 %]', 'only first', 'only second', 'McNemar p'],
  rows: comparisons.map(({ first, second, difference, onlyFirst, onlySecond, p }) => [
    `${first} − ${second}`,
    `${difference.estimate >= 0 ? '+' : ''}${percent(difference.estimate)} [${percent(difference.low)}, ${percent(difference.high)}]`,
    String(onlyFirst),
    String(onlySecond),
    probability(p),
  ]),
})

/** Both tables as text for the terminal. */
export const terminalReport = (summaries: readonly SystemSummary[], comparisons: readonly Comparison[] = []): string =>
  [summaryTable(summaries), ...(comparisons.length > 0 ? [comparisonTable(comparisons)] : [])]
    .map(formatTable)
    .join('\n\n')
