import { expect, it } from 'vitest'
import { SMALL_MODEL_BYTES, threadsFor } from './threads.ts'

it.each([
  ['one for a small model', SMALL_MODEL_BYTES - 1, { mathCores: 8, available: 16 }, 1],
  ['one less than there are cores to compute', SMALL_MODEL_BYTES, { mathCores: 8, available: 16 }, 7],
  ['one less than the process may use', SMALL_MODEL_BYTES, { mathCores: 8, available: 4 }, 3],
  ['one where nothing is known', SMALL_MODEL_BYTES, { mathCores: 0, available: 0 }, 1],
])('a model is evaluated by threads: %s', (_, bytes, cores, threads) => {
  expect(threadsFor(bytes, cores)).toBe(threads)
})
