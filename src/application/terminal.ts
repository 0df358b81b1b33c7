import { styleText } from 'node:util'

/** Where a command writes; a test gives its own. */
export interface Terminal {
  /** Results: text or JSON for another program. */
  out(text: string): void
  /** Progress and errors for a person. */
  err(text: string): void
  readonly color: boolean
  /** Characters; used to wrap. */
  readonly columns: number
}

export type Style = Parameters<typeof styleText>[0]

export const createTerminal = (): Terminal => ({
  out: text => void process.stdout.write(text),
  err: text => void process.stderr.write(text),
  // Colours only where a person looks, and never against their wish (https://no-color.org).
  color:
    (process.env['NO_COLOR'] ?? '') === '' && (process.stdout.isTTY === true || Boolean(process.env['FORCE_COLOR'])),
  columns: process.stdout.columns ?? 100,
})

/** `text` in a style, or as it is when the terminal shows none. */
export const paint = (terminal: Terminal, style: Style, text: string): string =>
  terminal.color ? styleText(style, text) : text

/** Text from models and peers made safe to print: no control or bidi characters but line breaks and tabs. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')

/** Rows as columns of equal width; the first row is the head. */
export function table(terminal: Terminal, rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const lines = rows.map((row, index) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    return index === 0 ? paint(terminal, 'dim', line) : line
  })
  return `${lines.join('\n')}\n`
}

/** `840 ms`, `3.2 s`. */
export const duration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)

/** `0`, `0.0021 USD`. */
export const money = (cost: number, currency = 'USD'): string =>
  cost === 0 ? 'free' : `${cost.toPrecision(2)} ${currency}`

/** The first and last characters of a node id: enough to tell nodes of one network apart. */
export const shortId = (nodeId: string): string => (nodeId.length <= 10 ? nodeId : `…${nodeId.slice(-6)}`)
