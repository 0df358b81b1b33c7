import { expect, test } from 'vitest'
import { cacheTypes } from './cache-types.ts'

const sizes = (width: number, heads: number, more: Readonly<Record<string, number>> = {}) =>
  new Map<string, string | number>([
    ['general.architecture', 'llama'],
    ['llama.embedding_length', width],
    ['llama.attention.head_count', heads],
    ...Object.entries(more),
  ])

test('keys are kept in blocks of 8 bits where a head consists of whole blocks', () => {
  expect(cacheTypes(sizes(128, 4))).toEqual({
    experimentalKvCacheKeyType: 'Q8_0',
    experimentalKvCacheValueType: 'F32',
  })
})

test('keys of other widths stay in 32 bits', () => {
  expect(cacheTypes(sizes(120, 5)).experimentalKvCacheKeyType).toBe('F32')
  expect(cacheTypes(sizes(128, 4, { 'llama.attention.key_length': 48 })).experimentalKvCacheKeyType).toBe('F32')
})

test('a file that does not say how wide its heads are keeps 32 bits', () => {
  expect(cacheTypes(new Map()).experimentalKvCacheKeyType).toBe('F32')
})
