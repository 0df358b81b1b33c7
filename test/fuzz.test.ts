import { expect, it } from 'vitest'
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES, MAX_FRAME_ITEMS } from '../src/protocol/index.ts'
import { createRandom } from '../src/utils/random.ts'
import { FUZZ_TARGETS } from './fuzz/targets.ts'

it.each(Object.entries(FUZZ_TARGETS))('%s refuses what is wrong and does nothing else', async (_name, target) => {
  for (let seed = 0; seed < 300; seed++) await target(createRandom(seed))
})

/** Frames made to cost a reader as much as they can. */
const worst: Record<string, Uint8Array> = {
  'many empty maps': encodeFrame(Array(MAX_FRAME_ITEMS - 1).fill({})),
  'many short byte strings': encodeFrame(Array(MAX_FRAME_ITEMS - 1).fill(Uint8Array.of(1))),
  'many keys': encodeFrame(
    Object.fromEntries(Array.from({ length: MAX_FRAME_ITEMS / 2 - 1 }, (_, key) => [`k${key}`, 0])),
  ),
  'one long text': encodeFrame('和'.repeat(MAX_FRAME_BYTES / 3 - 2)),
}
it.each(Object.entries(worst))('%s take bounded memory and time', (_name, bytes) => {
  const before = process.memoryUsage()
  const began = performance.now()
  decodeFrame(bytes)
  const after = process.memoryUsage()
  const megabytes = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1e6
  expect(megabytes).toBeLessThan(128)
  expect(performance.now() - began).toBeLessThan(5000)
})
