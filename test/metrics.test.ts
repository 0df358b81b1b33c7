import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createMetrics } from '../src/application/metrics.ts'

it('docs/operating.md tells every metric of ours, and no other', async () => {
  const { text } = await createMetrics({ entries: () => [], entry: () => undefined, onChange: () => () => {} }).expose()
  const exposed = [...text.matchAll(/^# TYPE (modelnet_\w+)/gm)].map(([, name]) => name)
  const documented = [
    ...readFileSync(new URL('../docs/operating.md', import.meta.url), 'utf8').matchAll(/^\| `(modelnet_\w+)` \|/gm),
  ].map(([, name]) => name)
  expect(exposed.length).toBeGreaterThan(5)
  expect(documented.toSorted()).toEqual(exposed.toSorted())
})
