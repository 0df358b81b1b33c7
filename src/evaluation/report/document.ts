import type { BarChart, LineChart } from './charts.ts'
import { formatTable, type TextTable } from './format.ts'

/** One piece of a report; every form of output shows all of them, a chart in text by its data. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly caption: string; readonly table: TextTable }
  | { readonly kind: 'lines'; readonly chart: LineChart }
  | { readonly kind: 'bars'; readonly chart: BarChart }

export interface ReportDocument {
  readonly title: string
  /** Facts a reader needs to judge the figures: date, commit, machine, seed, load. */
  readonly facts: Readonly<Record<string, string>>
  /** What a reader should take away, shown first: a figure and what it is. */
  readonly highlights?: readonly { readonly figure: string; readonly text: string }[]
  readonly sections: readonly { readonly title: string; readonly blocks: readonly Block[] }[]
}

/** The report for the terminal; charts are left to the HTML form, their data stands in the tables beside them. */
export function renderText(report: ReportDocument): string {
  const facts = Object.entries(report.facts).map(([name, value]) => `${name}: ${value}`)
  const sections = report.sections.map(({ title, blocks }) =>
    [
      `## ${title}`,
      ...blocks.flatMap(block =>
        block.kind === 'text'
          ? [block.text]
          : block.kind === 'table'
            ? [`${block.caption}\n${formatTable(block.table)}`]
            : [],
      ),
    ].join('\n\n'),
  )
  const highlights = (report.highlights ?? []).map(({ figure, text }) => `${figure}: ${text}`)
  return [
    `# ${report.title}`,
    ...(highlights.length > 0 ? [highlights.join('\n')] : []),
    facts.join('\n'),
    ...sections,
  ].join('\n\n')
}
