import { expect, it } from 'vitest'
import { BARE_TAG } from '../protocol/index.ts'
import { shippedModels } from './shipped-models.ts'

it('shipped models say that they know bare questions only, and the reviewer its fields', () => {
  const models = shippedModels()
  for (const { name, spec } of models) expect(spec.tags, name).toContain(BARE_TAG)
  const reviewer = models.find(({ name }) => name === 'reviewer')
  if (reviewer) expect(reviewer.spec.tags).toEqual(expect.arrayContaining(['review:arithmetic', 'review:units']))
})
