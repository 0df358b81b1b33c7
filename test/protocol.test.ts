import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as protocol from '../src/protocol/index.ts'
import * as limits from '../src/protocol/limits.ts'

const page = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8')
const rows = (pattern: RegExp): string[][] =>
  [...page.matchAll(pattern)].map(match => match.slice(1).map(cell => cell.trim()))

it('specifies every limit with the value it has', () => {
  const specified = rows(/^\| `([A-Z_]+)` \| ([^|]+) \|$/gm).map(([name, value]) => [name, Number(value)])
  expect(Object.fromEntries(specified)).toEqual({ ...limits })
})

it('specifies every frame type, with an example in the corpus', () => {
  const specified = rows(/^\| `(call-[a-z]+)` \|/gm).flat()
  const examples = readdirSync(new URL('./corpus/v1/', import.meta.url)).filter(name => name.startsWith('call-'))
  expect(specified.toSorted()).toEqual(examples.map(name => name.replace('.json', '')).toSorted())
})

it('names every signed document', () => {
  const specified = rows(/^\| [^|]+: [^|]+ \| `([a-z-]+)` \|/gm)
    .flat()
    .map(name => `application/vnd.modelnet.${name}+json`)
  expect(specified.toSorted()).toEqual(Object.values(protocol.DOCUMENT_TYPES).toSorted())
})

it('names every protocol', () => {
  for (const name of protocol.PROTOCOLS) expect(page).toContain(`| \`${name}\` |`)
})
