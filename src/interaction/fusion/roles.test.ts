import { expect, it } from 'vitest'
import { END } from '../../protocol/index.ts'
import type { DecodeSession, DistributionKind } from '../../resource/index.ts'
import { createScriptedSession } from '../../testing/index.ts'
import { createFusedSession } from './fused-session.ts'
import { contrast, proxyTuning } from './rules/contrast.ts'

const BYTES: DistributionKind = { kind: 'bytes' }

const saying = (byte: number): DecodeSession => {
  const probabilities = new Float64Array(END + 1).fill(1e-6)
  probabilities[byte] = 1 - 256e-6
  return createScriptedSession({ distribution: BYTES, next: () => ({ kind: 'bytes', probabilities }) })
}

/** Answers each step when it is released. */
function held(session: DecodeSession): { readonly session: DecodeSession; release(): void } {
  const waiting: (() => void)[] = []
  return {
    session: {
      ...session,
      step: async (step, options) => {
        await new Promise<void>(resolve => waiting.push(resolve))
        return session.step(step, options)
      },
    },
    release: () => {
      for (const resolve of waiting.splice(0)) resolve()
    },
  }
}

it.each([
  ['the expert of a contrast', contrast({ expert: 'needed', amateur: 'other' })],
  ['the base of proxy tuning', proxyTuning({ base: 'needed', tuned: 'other', raw: 'third' })],
])('%s is waited for, however late it is', async (_, rule) => {
  const slow = held(saying(97))
  const fused = createFusedSession(
    [
      { name: 'other', weight: 1, session: saying(98) },
      { name: 'third', weight: 1, session: saying(98) },
      { name: 'needed', weight: 1, session: slow.session },
    ],
    { rule, learn: false, lateMs: 0 },
  )
  let answered = false
  const next = fused.next().then(distribution => {
    answered = true
    return distribution
  })
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  expect(answered).toBe(false)
  slow.release()
  expect(await next).toMatchObject({ kind: 'bytes' })
  await fused.close()
})

it('who adds to a contrast only is left behind when late', async () => {
  const slow = held(saying(98))
  const fused = createFusedSession(
    [
      { name: 'expert', weight: 1, session: saying(97) },
      { name: 'amateur', weight: 1, session: slow.session },
    ],
    { rule: contrast({ expert: 'expert', amateur: 'amateur' }), learn: false, lateMs: 0 },
  )
  expect(await fused.next()).toMatchObject({ kind: 'bytes' })
  expect(fused.metrics.members[1]).toMatchObject({ late: 1 })
  slow.release()
  await fused.close()
})
