import { describe, expect, it } from 'vitest'
import { createScriptedModel } from '../testing/index.ts'
import { systemClock } from '../utils/clock.ts'
import { createCallRecord } from './call-record.ts'
import { createCircuitBreakers } from './circuit-breaker.ts'
import { createCapabilityMap } from './evidence-map.ts'
import type { MatcherComponents, Offer } from './matcher.ts'
import { createMatcher } from './matcher.ts'
import type { ModelReference } from './matching.ts'

const TAG = 'skill:units'
const NODE_A = '12D3KooWAbcdef'
const NODE_B = '12D3KooWBcdefg'

interface OfferOptions extends Partial<Offer> {
  readonly accuracy?: number
  readonly tags?: readonly string[]
  readonly load?: { readonly running?: number; readonly slots?: number; readonly tokensPerSecond?: number }
  readonly draining?: boolean
}

function offer(id: string, nodeId: string, options: OfferOptions = {}): Offer {
  const { accuracy, tags = [TAG], load, draining = false, ...rest } = options
  const claims = accuracy === undefined ? {} : { claims: [{ tag: TAG, n: 300, accuracy }] }
  const model = createScriptedModel({ id, node: nodeId, card: { tags, ...claims } })
  const status = {
    seq: 1,
    at: 1,
    draining,
    models: [{ id, running: 0, queued: 0, slots: 1, tokensPerSecond: 100, ...load }],
  }
  return { model, nodeId, state: 'alive', status, ...rest }
}

function match(offers: readonly Offer[], reference: ModelReference, parts: Partial<MatcherComponents> = {}) {
  const abilities = createCapabilityMap({ clock: systemClock })
  for (const { model } of offers) abilities.describe(model.card)
  const matcher = createMatcher({ offers: () => offers, abilities, ...parts })
  return matcher.candidates(reference, [{ tag: TAG, probability: 1 }]).map(({ name }) => name)
}

const ANY: ModelReference = { kind: 'any' }

describe('matching', () => {
  it('puts the more able model first', () => {
    const offers = [offer('weak', NODE_A, { accuracy: 0.5 }), offer('strong', NODE_B, { accuracy: 0.98 })]
    expect(match(offers, ANY)).toEqual([`strong@${NODE_B}`, `weak@${NODE_A}`])
  })

  it.each<[string, ModelReference, readonly string[]]>([
    ['a full id', { kind: 'model', id: 'pub/one' }, [`pub/one@${NODE_A}`, `pub/one@${NODE_B}`]],
    ['a name without its publisher', { kind: 'model', id: 'one' }, [`pub/one@${NODE_A}`, `pub/one@${NODE_B}`]],
    ['an ambiguous short name', { kind: 'model', id: 'two' }, []],
    ['a whole node id', { kind: 'model', id: 'pub/one', node: NODE_B }, [`pub/one@${NODE_B}`]],
    ['a prefix of the node id', { kind: 'model', id: 'one', node: '12D3KooWB' }, [`pub/one@${NODE_B}`]],
    ['a prefix after what all ids share', { kind: 'model', id: 'one', node: 'Bcd' }, [`pub/one@${NODE_B}`]],
    ['an unknown name', { kind: 'model', id: 'none' }, []],
    ['a tag without its kind', { kind: 'tag', tag: 'words' }, [`pub/two@${NODE_A}`]],
    ['a tag', { kind: 'tag', tag: 'skill:words' }, [`pub/two@${NODE_A}`]],
  ])('resolves %s', (_, reference, expected) => {
    const offers = [
      offer('pub/one', NODE_A),
      offer('pub/one', NODE_B),
      offer('pub/two', NODE_A, { tags: ['skill:words'] }),
      offer('other/two', NODE_B),
    ]
    expect(match(offers, reference)).toEqual(expected)
  })

  it('leaves out suspect and draining nodes and open circuits', () => {
    const breakers = createCircuitBreakers({ clock: systemClock }, { failures: 1 })
    breakers.fail('d@n')
    const offers = [
      offer('a', 'n', { state: 'suspect' }),
      offer('b', 'n', { state: 'left' }),
      offer('c', 'n', { draining: true }),
      offer('d', 'n'),
      offer('e', 'n'),
    ]
    expect(match(offers, ANY, { breakers })).toEqual(['e@n'])
  })

  it('sends work to the copy that would be done first', () => {
    const offers = [
      offer('m', 'busy', { accuracy: 0.97, load: { running: 4 } }),
      offer('m', 'slow', { accuracy: 0.96, load: { tokensPerSecond: 10 } }),
      offer('m', 'free', { accuracy: 0.95, rttMs: 20 }),
    ]
    expect(match(offers, ANY)).toEqual(['m@free', 'm@busy', 'm@slow'])
  })

  it('does not let a quick but clearly worse model win', () => {
    const offers = [offer('good', 'n', { accuracy: 0.97, load: { running: 3 } }), offer('bad', 'n', { accuracy: 0.5 })]
    expect(match(offers, ANY)[0]).toBe('good@n')
  })

  it('counts its own calls that no status shows yet: speeds of 4:1 get work of about 4:1', () => {
    const calls = createCallRecord({ clock: systemClock })
    const offers = [
      offer('m', 'fast', { load: { tokensPerSecond: 400 } }),
      offer('m', 'slow', { load: { tokensPerSecond: 100 } }),
    ]
    const shares: Record<string, number> = { 'm@fast': 0, 'm@slow': 0 }
    for (let call = 0; call < 50; call++) {
      const first = match(offers, ANY, { calls })[0] ?? ''
      calls.begin(first)
      shares[first] = (shares[first] ?? 0) + 1
    }
    expect(shares).toEqual({ 'm@fast': 40, 'm@slow': 10 })
  })

  it('takes a copy that nobody measured to be like the others, so that it is neither flooded nor left out', () => {
    const offers = [
      offer('m', 'quick', { load: { tokensPerSecond: 400 } }),
      offer('m', 'middling', { load: { tokensPerSecond: 200 } }),
      offer('m', 'slow', { load: { tokensPerSecond: 100 } }),
      offer('m', 'new', { load: { tokensPerSecond: 0 } }),
      offer('other', 'alone', { load: { tokensPerSecond: 0 } }),
    ]
    expect(match(offers, { kind: 'model', id: 'm' })).toEqual(['m@quick', 'm@middling', 'm@new', 'm@slow'])
    expect(match(offers, ANY).at(-1)).toBe('other@alone')
  })

  it('predicts cost from the price of the card', () => {
    const one = offer('m', 'n')
    const priced = { ...one.model, card: { ...one.model.card, price: { currency: 'USD', input: 1, output: 9 } } }
    const abilities = createCapabilityMap({ clock: systemClock })
    const matcher = createMatcher({ offers: () => [{ ...one, model: priced }], abilities }, { expectedTokens: 100 })
    expect(matcher.candidates(ANY, [])[0]?.cost).toBeCloseTo(0.001)
  })

  it('knows a model whose node is away, and not one that nobody ever offered', () => {
    const offers = [offer('pub/one', NODE_A, { state: 'suspect' })]
    const matcher = createMatcher({ offers: () => offers, abilities: createCapabilityMap({ clock: systemClock }) })
    expect(matcher.candidates({ kind: 'model', id: 'one' }, [])).toEqual([])
    expect(matcher.knows?.({ kind: 'model', id: 'one' })).toBe(true)
    expect(matcher.knows?.({ kind: 'model', id: 'oen' })).toBe(false)
  })

  it('prefers who has the finer skill, whichever way the field is asked for', () => {
    const skills = (...names: string[]) => ({ tags: names.map(name => `skill:${name}`) })
    const offers = [
      offer('adds', NODE_A, skills('arithmetic', 'addition')),
      offer('multiplies', NODE_B, skills('arithmetic', 'multiplication')),
    ]
    const abilities = createCapabilityMap({ clock: systemClock })
    for (const { model } of offers) abilities.describe(model.card)
    const matcher = createMatcher({ offers: () => offers, abilities })
    for (const operation of ['addition', 'multiplication']) {
      const tags = ['arithmetic', operation].map(name => ({ tag: `skill:${name}`, probability: 0.9 }))
      const expected = operation === 'addition' ? `adds@${NODE_A}` : `multiplies@${NODE_B}`
      expect(matcher.candidates(ANY, tags)[0]?.name).toBe(expected)
      expect(matcher.candidates({ kind: 'tag', tag: 'arithmetic' }, tags)[0]?.name).toBe(expected)
    }
  })
})
