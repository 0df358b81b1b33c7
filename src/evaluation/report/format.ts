import type { Interval } from '../statistics.ts'

/** A share as a percentage with one decimal: `97.3`. */
export const percent = (share: number): string => (Number.isFinite(share) ? (share * 100).toFixed(1) : '–')

/** `97.3 [95.1, 98.5]`. */
export const percentWithInterval = ({ estimate, low, high }: Interval): string =>
  `${percent(estimate)} [${percent(low)}, ${percent(high)}]`

/** `840 ms`, `3.2 s`. */
export const milliseconds = (ms: number): string =>
  !Number.isFinite(ms)
    ? '–'
    : ms < 1000
      ? `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`
      : `${(ms / 1000).toFixed(1)} s`

/** `0.031`, `< 0.001`. */
export const probability = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3))

export interface TextTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A table for the terminal: first column left, the others right, two spaces between. */
export function formatTable({ head, rows }: TextTable): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map(line => [...(line[column] ?? '')].length)))
  const pad = (text: string, column: number): string => {
    const space = ' '.repeat((widths[column] ?? 0) - [...text].length)
    return column === 0 ? text + space : space + text
  }
  const format = (line: readonly string[]): string =>
    head
      .map((_, column) => pad(line[column] ?? '', column))
      .join('  ')
      .trimEnd()
  return [format(head), widths.map(width => '─'.repeat(width)).join('  '), ...rows.map(format)].join('\n')
}
