import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallHandler } from '../network/index.ts'
import { createScriptedModel } from '../testing/scripted-model.ts'
import { guardCalls, permits } from './policy.ts'

const subjects = fc.constantFrom('n1', 'n2', 'edge', 'cloud', 'public')
const subject = fc.record({
  node: fc.constantFrom('n1', 'n2', 'n3'),
  domain: fc.constantFrom('edge', 'cloud', undefined),
})

describe('permits', () => {
  it('names everyone when there is no list, and nobody when it is empty', () => {
    fc.assert(
      fc.property(subject, who => {
        expect([permits(undefined, who), permits([], who)]).toEqual([true, false])
      }),
    )
  })

  it('names who is in one of two lists just when it is in both together', () => {
    fc.assert(
      fc.property(fc.array(subjects), fc.array(subjects), subject, (a, b, who) => {
        expect(permits([...a, ...b], who)).toBe(permits(a, who) || permits(b, who))
      }),
    )
  })

  it('counts a node of no domain as public, and no other', () => {
    expect(permits(['public'], { node: 'n1' })).toBe(true)
    expect(permits(['public'], { node: 'n1', domain: 'edge' })).toBe(false)
  })
})

describe('guardCalls', () => {
  const open = createScriptedModel({ id: 'lab/open' })
  const limited = createScriptedModel({ id: 'lab/limited', card: { allow: ['cloud', 'friend'] } })
  const domains: Readonly<Record<string, string>> = { insider: 'edge', server: 'cloud' }
  let served = 0
  const handler: CallHandler = async function* () {
    served++
    yield 'served'
  }

  /** What the peer gets for a call of this body. */
  async function call(peer: string, body: unknown, serve?: readonly string[]): Promise<unknown> {
    const policy = { serve, models: () => [open, limited], domainOf: (node: string) => domains[node] }
    const { generate } = guardCalls({ generate: handler }, policy)
    const context = { peer, signal: new AbortController().signal }
    const parts = (async function* () {})()
    try {
      for await (const part of generate?.(body, { parts }, context) ?? []) return part
    } catch (error) {
      return (error as { code: string }).code
    }
    return undefined
  }

  it.each([
    ['stranger', 'lab/open', undefined, 'served'],
    ['stranger', 'lab/limited', undefined, 'FORBIDDEN'],
    ['server', 'lab/limited', undefined, 'served'],
    ['friend', 'lab/limited', undefined, 'served'],
    ['stranger', 'lab/open', ['edge'], 'FORBIDDEN'],
    ['insider', 'lab/open', ['edge'], 'served'],
    ['insider', 'lab/limited', ['edge'], 'FORBIDDEN'],
    ['insider', 'lab/unknown', ['cloud'], 'FORBIDDEN'],
    ['stranger', 'lab/open', [], 'FORBIDDEN'],
  ] as const)('gives %s that asks for %s where %j may: %s', async (peer, model, serve, outcome) => {
    const before = served
    expect(await call(peer, { model, request: {} }, serve)).toBe(outcome)
    expect(served - before).toBe(outcome === 'served' ? 1 : 0)
  })

  it.each([null, 'text', { model: 7 }, { id: 'lab/limited' }, []])(
    'holds the list of the node against a body such as %j',
    async body => {
      expect([await call('stranger', body, ['edge']), await call('insider', body, ['edge'])]).toEqual([
        'FORBIDDEN',
        'served',
      ])
    },
  )
})
