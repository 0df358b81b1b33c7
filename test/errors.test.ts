import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ERROR_KINDS } from '../src/utils/errors.ts'

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
const rows = page
  .split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => cell.trim()))

it('documents every error code as the table in the code has it', () => {
  const documented = rows.map(([, code = '', status, retry, meaning]) => [
    code.replaceAll('`', ''),
    { status: Number(status), retryable: retry === 'yes', meaning },
  ])
  expect(Object.fromEntries(documented)).toEqual(ERROR_KINDS)
  expect(documented).toHaveLength(Object.keys(ERROR_KINDS).length)
})

it('gives advice only on codes that exist', () => {
  const advised = [...page.matchAll(/^- `([A-Z_]+)`:/gm)].map(match => match[1] ?? '')
  expect(advised.length).toBeGreaterThan(5)
  for (const code of advised) expect(Object.hasOwn(ERROR_KINDS, code), code).toBe(true)
})
