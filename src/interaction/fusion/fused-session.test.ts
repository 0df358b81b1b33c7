import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { END } from '../../protocol/index.ts'
import type { DecodeSession, DistributionKind } from '../../resource/index.ts'
import { createTokenSession } from '../../resource/index.ts'
import {
  createHashedTokenModel,
  createManualClock,
  createScriptedSession,
  type HashedTokenModel,
} from '../../testing/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { type DecodeTextOptions, decodeText } from './decode-text.ts'
import { createFusedSession, type FusionOptions } from './fused-session.ts'
import type { FusedMember } from './seat.ts'

const TOKENS = ['a', 'b', 'c', ' ', 'ab', 'abc', ' ca', 'bb', 'é', 'cab ']
const BYTES: DistributionKind = { kind: 'bytes' }

/** Models that share a taste and differ in vocabulary and detail. */
const modelOf = (index: number, seed = 1): HashedTokenModel =>
  createHashedTokenModel({
    tokens: [...TOKENS.slice(0, 4), 'é', ...TOKENS.slice(4).filter((_, at) => at % (index + 2) !== 0)],
    seed,
    sharpness: 8,
    noise: 2,
    end: -4,
  })

const sessionOf = (model: HashedTokenModel, kind: DistributionKind = BYTES): Promise<DecodeSession> =>
  createTokenSession(model, model.prompt('cab'), kind)

async function members(count: number, kind: DistributionKind = BYTES, seed = 1): Promise<FusedMember[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      name: `m${index}`,
      weight: 1,
      session: await sessionOf(modelOf(index, seed), kind),
    })),
  )
}

async function textOf(session: DecodeSession, options: DecodeTextOptions = {}): Promise<string> {
  let text = ''
  for await (const part of decodeText(session, { maxTokens: 20, ...options }))
    if (part.type === 'text-delta') text += part.text
  await session.close()
  return text
}

const certain = (symbol: number): Float64Array => {
  const probabilities = new Float64Array(END + 1).fill(1e-6)
  probabilities[symbol] = 1 - 256e-6
  return probabilities
}

/** Writes `text`, then ends. */
const saying = (text: string, options = {}): ReturnType<typeof createScriptedSession> => {
  const bytes = new TextEncoder().encode(text)
  return createScriptedSession({
    distribution: BYTES,
    next: committed => ({ kind: 'bytes', probabilities: certain(bytes[committed.length] ?? END) }),
    ...options,
  })
}

describe('a fused session', () => {
  it.each([BYTES, { kind: 'tokens', top: 5 } as const])(
    'of one member writes what the member writes ($kind)',
    async kind => {
      const alone = await textOf(await sessionOf(modelOf(0), kind))
      expect(await textOf(createFusedSession(await members(1, kind)))).toBe(alone)
      expect(alone.length).toBeGreaterThan(5)
    },
  )

  it('does not depend on the order of its members, to the last bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), async (seed, order) => {
        const straight = createFusedSession(await members(4, BYTES, seed))
        const all = await members(4, BYTES, seed)
        const shuffled = createFusedSession(order.flatMap(index => all[index] ?? []))
        for (const byte of [97, 98, 32, 97]) {
          expect(await shuffled.next()).toEqual(await straight.next())
          await Promise.all([straight, shuffled].map(session => session.commit(Uint8Array.of(byte))))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('fuses members that report token candidates with members that report bytes', async () => {
    const [exact, candidates] = await Promise.all([
      sessionOf(modelOf(0)),
      sessionOf(modelOf(0), { kind: 'tokens', top: 8 }),
    ])
    const fused = createFusedSession([
      { name: 'candidates', weight: 1, session: candidates },
      { name: 'exact', weight: 1, session: exact },
    ])
    expect(fused.distribution).toEqual(BYTES)
    expect(await textOf(fused)).toBe(await textOf(await sessionOf(modelOf(0))))
    expect(fused.metrics.members.map(({ agreed, votes }) => agreed / votes)).toEqual([1, 1])
  })

  it('needs one round trip per step and member: what is committed travels with the next question', async () => {
    const one = saying('abc')
    const fused = createFusedSession([{ name: 'one', weight: 1, session: one }])
    expect(await textOf(fused)).toBe('abc')
    expect(one.steps).toHaveLength(4)
    expect(fused.metrics).toMatchObject({ steps: 4, bytes: 3, positions: 4 })
    expect(fused.metrics.members[0]).toMatchObject({ roundTrips: 4, votes: 3, agreed: 3, learnedWeight: 1 })
  })

  it('learns along the text who foresees it', async () => {
    const fused = createFusedSession([
      { name: 'right', weight: 3, session: saying('abcabc') },
      { name: 'wrong', weight: 1, session: saying('cccccc') },
    ])
    expect(await textOf(fused)).toBe('abcabc')
    const [right, wrong] = fused.metrics.members
    expect(right?.learnedWeight).toBeGreaterThan(0.95)
    expect(wrong?.learnedWeight).toBeLessThan(0.01)
  })

  it('gives a member of weight 0 no voice and does not ask it', async () => {
    const silent = saying('xyz')
    const fused = createFusedSession([
      { name: 'speaks', weight: 1, session: saying('abc') },
      { name: 'silent', weight: 0, session: silent },
    ])
    expect(await textOf(fused)).toBe('abc')
    expect(silent.steps).toHaveLength(0)
    expect(silent.closed).toBe(true)
  })

  it('drops a member that fails, and a replacement reads the text and joins', async () => {
    const events: string[] = []
    const second = saying('abcdef', { stepDelayMs: 0 })
    const fused = createFusedSession(
      [
        { name: 'stays', weight: 1, session: saying('abcdef') },
        { name: 'dies', weight: 1, session: saying('abcdef', { failAfterSteps: 2 }) },
      ],
      {
        onEvent: event => events.push(`${event.type} ${event.name}`),
        replace: async lost => ({ name: `instead of ${lost}`, weight: 1, session: second }),
      },
    )
    expect(await textOf(fused)).toBe('abcdef')
    expect(events).toEqual(['member-lost dies', 'member-joined instead of dies'])
    expect(Buffer.from(second.committed).toString()).toMatch(/^abcde/)
    expect(fused.metrics).toMatchObject({ lost: 1, replaced: 1 })
  })

  it('gives 100 complete answers when a member dies at a random step in each of 100 runs', async () => {
    const expected = await textOf(await sessionOf(modelOf(0)))
    const steps = expected.length + 3
    await fc.assert(
      fc.asyncProperty(fc.nat(steps), fc.boolean(), async (failAfterSteps, replaced) => {
        const model = modelOf(0)
        const dying = await sessionOf(model)
        let left = failAfterSteps
        const mortal: DecodeSession = {
          ...saying(''),
          step: (step, options) =>
            left-- > 0 ? dying.step(step, options) : Promise.reject(new ModelNetError('PEER_LOST', 'gone')),
        }
        const fused = createFusedSession(
          [
            { name: 'mortal', weight: 1, session: mortal },
            ...(replaced ? [] : [{ name: 'other', weight: 1, session: await sessionOf(modelOf(0)) }]),
          ],
          replaced ? { replace: async () => ({ name: 'new', weight: 1, session: await sessionOf(modelOf(0)) }) } : {},
        )
        expect(await textOf(fused)).toBe(expected)
      }),
      { numRuns: 100 },
    )
  })

  it('fails with NO_CANDIDATE when nobody is left', async () => {
    const fused = createFusedSession([{ name: 'dies', weight: 1, session: saying('abc', { failAfterSteps: 1 }) }])
    await expect(textOf(fused)).rejects.toMatchObject({ code: 'NO_CANDIDATE' })
  })

  it('does not wait for a late member, tells it everything later, and lets it vote again', async () => {
    const release: (() => void)[] = []
    const slow = saying('abcdefgh')
    let hold = true
    const late: DecodeSession = {
      ...slow,
      step: async (step, options) => {
        if (hold) await new Promise<void>(resolve => release.push(resolve))
        return slow.step(step, options)
      },
    }
    const fused = createFusedSession(
      [
        { name: 'quick', weight: 1, session: saying('abcdefgh') },
        { name: 'late', weight: 1, session: late },
      ],
      { lateMs: 1 },
    )
    for (const byte of [97, 98, 99]) await fused.step({ next: true }).then(() => fused.commit(Uint8Array.of(byte)))
    expect(fused.metrics.members[1]).toMatchObject({ late: 1, votes: 0, state: 'live' })
    hold = false
    for (const resolve of release) resolve()
    await new Promise(setImmediate)
    await fused.next()
    expect(Buffer.from(slow.committed).toString()).toBe('abc')
    await fused.commit(Uint8Array.of(100))
    expect(fused.metrics.members[1]).toMatchObject({ votes: 1, agreed: 1 })
    await fused.close()
  })

  it('fails with NO_CANDIDATE when fewer than the quorum are left', async () => {
    const fused = createFusedSession(
      [
        { name: 'stays', weight: 1, session: saying('abc') },
        { name: 'dies', weight: 1, session: saying('abc', { failAfterSteps: 1 }) },
      ],
      { quorum: 2 },
    )
    await fused.next()
    await expect(fused.next()).rejects.toMatchObject({ code: 'NO_CANDIDATE' })
    await fused.close()
  })

  it('gives up a member that never answers at the deadline, and goes on with its replacement', async () => {
    const clock = createManualClock()
    const hung: DecodeSession = { ...saying('abc'), step: () => new Promise(() => undefined) }
    const fused = createFusedSession([{ name: 'hung', weight: 1, session: hung }], {
      clock,
      deadlineMs: 1000,
      replace: async () => ({ name: 'new', weight: 1, session: saying('abc') }),
    })
    const next = fused.next()
    await new Promise(setImmediate)
    await clock.advance(1000)
    expect(await next).toMatchObject({ kind: 'bytes' })
    expect(fused.metrics.members.map(({ name, state }) => `${name} ${state}`)).toEqual(['hung lost', 'new live'])
    await fused.close()
  })

  it.each([
    ['no distribution', new Float64Array(3)],
    ['a negative probability', certain(97).fill(-1, 5, 6)],
    ['a sum far from 1', new Float64Array(END + 1).fill(1)],
    ['not a number', new Float64Array(END + 1).fill(Number.NaN)],
  ])('drops a member that sends %s', async (_, probabilities) => {
    const liar = createScriptedSession({ distribution: BYTES, next: () => ({ kind: 'bytes', probabilities }) })
    const fused = createFusedSession([
      { name: 'honest', weight: 1, session: saying('abc') },
      { name: 'liar', weight: 100, session: liar },
    ])
    expect(await textOf(fused)).toBe('abc')
    expect(fused.metrics.members[1]?.state).toBe('lost')
  })

  it.each<[string, () => Promise<FusedMember[]>, FusionOptions?]>([
    ['no members', async () => []],
    ['members of one name', async () => [...(await members(1)), ...(await members(1))]],
  ])('refuses %s', async (_, make) => {
    const list = await make()
    expect(() => createFusedSession(list)).toThrowError(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  })

  it('closes its members, those it has lost at once, and stops on an abort', async () => {
    const sessions = [saying('abc'), saying('abc', { failAfterSteps: 0 })]
    const fused = createFusedSession(sessions.map((session, index) => ({ name: `${index}`, weight: 1, session })))
    await fused.next()
    await expect(fused.next({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    await fused.close()
    expect(sessions.map(({ closed }) => closed)).toEqual([true, true])
  })
})
