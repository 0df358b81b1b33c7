import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, { default: string } | string>
}

/** Every door of the package and the source behind it. */
const doors = Object.entries(manifest.exports).flatMap(([door, target]) =>
  typeof target === 'string'
    ? []
    : [[door, target.default.replace('./dist/', '../src/').replace(/\.js$/, '.ts')] as const],
)

describe('the public API', () => {
  it.each(doors)('of %s changes only on purpose', async (_, source) => {
    expect(Object.keys((await import(source)) as object).toSorted()).toMatchSnapshot()
  })
})
