import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteDistribution, TokenDistribution } from '../../../protocol/index.ts'
import { END } from '../../../protocol/index.ts'
import { combine, type FusionRule, type Vote } from '../rule.ts'
import { contrast, proxyTuning } from './contrast.ts'
import { duetNet, duetNetRaw } from './duetnet.ts'
import { gac } from './gac.ts'
import { FUSION_RULES } from './index.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Candidates with any scores as their log-probabilities. */
const scored = (scores: Readonly<Record<string, number>>, end = Number.NEGATIVE_INFINITY): TokenDistribution => ({
  kind: 'tokens',
  candidates: Object.entries(scores)
    .map(([text, logprob]) => ({ bytes: encode(text), logprob }))
    .sort((a, b) => b.logprob - a.logprob),
  end,
  residual: 0,
})

const votesOf = (...distributions: readonly (TokenDistribution | ByteDistribution)[]): Vote[] =>
  distributions.map((distribution, index) => ({ name: `m${index}`, weight: 1 / distributions.length, distribution }))

const fuseTokens = (rule: FusionRule, ...members: readonly TokenDistribution[]): TokenDistribution => {
  const fused = combine(rule, votesOf(...members))
  if (fused.kind !== 'tokens') throw new Error('expected candidates')
  return fused
}

const textsOf = ({ candidates }: TokenDistribution): string[] =>
  candidates.map(({ bytes }) => Buffer.from(bytes).toString())

const logprobsOf = ({ candidates }: TokenDistribution): Record<string, number> =>
  Object.fromEntries(candidates.map(({ bytes, logprob }) => [Buffer.from(bytes).toString(), logprob]))

describe('DuetNet', () => {
  // Figure 5: K = 10, P = 0.9. The figure shows what is kept; the other seven of each model's ten are filled in.
  const filler = (prefix: string, score: number): Record<string, number> =>
    Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`${prefix}${index}`, score]))
  const a = scored({ '1': 29, The: 27.9, ...filler('a', 20) })
  const b = scored({ '1': 21.3, '2': 20.8, The: 19.4, ...filler('b', 17.5) })
  const figure5 = { topK: 10, topP: 0.9 }

  it('as published sums raw logits: figure 5 gives 50.3, 47.3 and 20.8, and "1" is chosen', () => {
    const fused = fuseTokens(duetNetRaw(figure5), a, b)
    expect(textsOf(fused)).toEqual(['1', 'The', '2'])
    const { '1': one = 0, The: the = 0, '2': two = 0 } = logprobsOf(fused)
    expect(one - the).toBeCloseTo(50.3 - 47.3, 9)
    expect(one - two).toBeCloseTo(50.3 - 20.8, 9)
  })

  it('as published changes its mind when one model’s logits shift, and lets silence beat a negative logit (W05)', () => {
    const sure = scored({ x: -1, y: -3 })
    const other = scored({ y: -0.5, x: -4 })
    const raw = duetNetRaw({ topP: 0.5 })
    expect(textsOf(fuseTokens(raw, sure, other))[0]).not.toBe(
      textsOf(fuseTokens(raw, scored({ x: 30, y: 28 }), other))[0],
    )
    const both = scored({ x: -0.2, y: -2 })
    const silent = scored({ z: -0.1, y: -3 })
    expect(textsOf(fuseTokens(duetNetRaw({ topP: 0.9 }), both, scored({ x: -0.2, y: -2 }), silent))[0]).toBe('z')
  })

  it('corrected gives every kept candidate a positive score, and the most to what both keep', () => {
    expect(textsOf(fuseTokens(duetNet(figure5), a, b))).toEqual(['1', 'The', '2'])
  })

  const members = fc.array(
    fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.integer({ min: -9, max: 0 })), {
      minLength: 3,
      selector: ([text]) => text,
    }),
    { minLength: 2, maxLength: 4 },
  )

  it('corrected does not change when a model’s logits are shifted', () => {
    fc.assert(
      fc.property(
        members,
        fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 4, maxLength: 4 }),
        (lists, shifts) => {
          const plain = fuseTokens(duetNet(), ...lists.map(list => scored(Object.fromEntries(list))))
          const shifted = fuseTokens(
            duetNet(),
            ...lists.map((list, index) =>
              scored(Object.fromEntries(list.map(([text, score]) => [text, score + (shifts[index] ?? 0)]))),
            ),
          )
          const after = logprobsOf(shifted)
          for (const [text, logprob] of Object.entries(logprobsOf(plain))) expect(after[text]).toBeCloseTo(logprob, 6)
        },
      ),
    )
  })
})

const byteDistributions = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: END + 1, maxLength: END + 1 })
  .map((values): ByteDistribution => {
    const total = values.reduce((sum, value) => sum + value, 0) + 1e-3
    return {
      kind: 'bytes',
      probabilities: Float64Array.from(values, (value, at) => (value + (at === 65 ? 1e-3 : 0)) / total),
    }
  })

const tokenDistributions = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'ab', 'é', 'the '), fc.double({ min: 1e-3, max: 1, noNaN: true })),
    {
      minLength: 1,
      selector: ([text]) => text,
    },
  )
  .map(entries => {
    const total = entries.reduce((sum, [, mass]) => sum + mass, 0.5)
    return {
      ...scored(
        Object.fromEntries(entries.map(([text, mass]) => [text, Math.log(mass / total)])),
        Math.log(0.3 / total),
      ),
      residual: 0.2 / total,
    }
  })

describe.each(Object.values(FUSION_RULES))('the rule $name', rule => {
  it('gives a distribution over bytes', () => {
    fc.assert(
      fc.property(fc.array(byteDistributions, { minLength: 1, maxLength: 4 }), members => {
        const fused = combine(rule, votesOf(...members))
        if (fused.kind !== 'bytes') throw new Error('expected bytes')
        expect(fused.probabilities.every(value => value >= 0 && value <= 1)).toBe(true)
        expect(fused.probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9)
      }),
      { numRuns: 30 },
    )
  })

  it('gives a distribution over candidates, best first', () => {
    fc.assert(
      fc.property(fc.array(tokenDistributions, { minLength: 1, maxLength: 4 }), members => {
        const { candidates, end, residual } = fuseTokens(rule, ...members)
        const mass = candidates.reduce((sum, { logprob }) => sum + Math.exp(logprob), Math.exp(end))
        expect(mass + residual).toBeCloseTo(1, 6)
        for (const [index, { logprob }] of candidates.entries())
          expect(logprob).toBeLessThanOrEqual(candidates[index - 1]?.logprob ?? 0)
      }),
      { numRuns: 100 },
    )
  })

  it('does not depend on the order of members, to the last bit', () => {
    const shuffled = fc.array(fc.tuple(byteDistributions, tokenDistributions), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(shuffled, fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (members, order) => {
        const weights = [0.4, 0.3, 0.2, 0.1]
        for (const kind of [0, 1] as const) {
          const votes = members.flatMap((member, index): Vote[] => [
            { name: `m${index}`, weight: weights[index] ?? 0, distribution: member[kind] },
          ])
          expect(
            combine(
              rule,
              order.flatMap(index => votes[index] ?? []),
            ),
          ).toEqual(combine(rule, votes))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('of one member chooses what the member would', () => {
    fc.assert(
      fc.property(tokenDistributions, member => {
        const scores = new Map(member.candidates.map(({ bytes, logprob }) => [Buffer.from(bytes).toString(), logprob]))
        scores.set('', member.end)
        const { candidates, end } = fuseTokens(rule, member)
        const first = candidates[0]
        const chosen = first && first.logprob > end ? Buffer.from(first.bytes).toString() : ''
        expect(scores.get(chosen)).toBeCloseTo(Math.max(...scores.values()), 9)
      }),
    )
  })
})

describe('the robust rule', () => {
  const sure = (symbol: number, rest = 0.1): ByteDistribution => {
    const probabilities = new Float64Array(END + 1).fill(rest / END)
    probabilities[symbol] = 1 - rest
    return { kind: 'bytes', probabilities }
  }
  const bestOf = (votes: readonly Vote[]): number => {
    const fused = combine(FUSION_RULES.robust, votes)
    if (fused.kind !== 'bytes') throw new Error('expected bytes')
    return fused.probabilities.indexOf(Math.max(...fused.probabilities))
  }

  it('is not moved by one of three or more, whatever it says and whatever its weight', () => {
    fc.assert(
      fc.property(
        byteDistributions,
        fc.integer({ min: 2, max: 4 }),
        fc.double({ min: 0.01, max: 0.9, noNaN: true }),
        (lie, honest, weight) => {
          const votes = Array.from(
            { length: honest },
            (_, index): Vote => ({
              name: `h${index}`,
              weight: (1 - weight) / honest,
              distribution: sure(66, 0.1 + 0.1 * index),
            }),
          )
          expect(bestOf([...votes, { name: 'liar', weight, distribution: lie }])).toBe(66)
          expect(bestOf([...votes, { name: 'liar', weight, distribution: sure(67, 0) }])).toBe(66)
        },
      ),
    )
  })
})

describe('rules with roles', () => {
  const distribution = (values: Readonly<Record<number, number>>): ByteDistribution => {
    const probabilities = new Float64Array(END + 1)
    for (const [symbol, value] of Object.entries(values)) probabilities[Number(symbol)] = value
    return { kind: 'bytes', probabilities }
  }
  const bytesOf = (rule: FusionRule, members: Readonly<Record<string, ByteDistribution>>): Float64Array => {
    const names = Object.keys(members)
    const fused = combine(
      rule,
      Object.entries(members).map(([name, member]) => ({ name, weight: 1 / names.length, distribution: member })),
    )
    if (fused.kind !== 'bytes') throw new Error('expected bytes')
    return fused.probabilities
  }

  it('contrast takes what the expert knows beyond the amateur, among what is plausible', () => {
    const expert = distribution({ 65: 0.5, 66: 0.45, 67: 0.05 })
    const amateur = distribution({ 65: 0.8, 66: 0.199, 67: 0.001 })
    const fused = bytesOf(contrast({ expert: 'big', amateur: 'small' }), { big: expert, small: amateur })
    expect(fused.indexOf(Math.max(...fused))).toBe(66)
    expect(fused[67]).toBeLessThan(1e-9 + (fused[66] ?? 0))
    // p ~ 0.5^1.5 / 0.8^0.5 : 0.45^1.5 / 0.199^0.5, and 0.05 is just plausible
    expect((fused[66] ?? 0) / (fused[65] ?? 1)).toBeCloseTo(0.45 ** 1.5 / 0.199 ** 0.5 / (0.5 ** 1.5 / 0.8 ** 0.5), 9)
  })

  it('proxy tuning moves the base by what tuning changed', () => {
    const fused = bytesOf(proxyTuning({ base: 'base', tuned: 'tuned', raw: 'raw' }), {
      base: distribution({ 65: 0.6, 66: 0.4 }),
      tuned: distribution({ 65: 0.2, 66: 0.8 }),
      raw: distribution({ 65: 0.5, 66: 0.5 }),
    })
    expect((fused[66] ?? 0) / (fused[65] ?? 1)).toBeCloseTo((0.4 * (0.8 / 0.5)) / (0.6 * (0.2 / 0.5)), 9)
  })

  it('GaC with a primary leaves it alone where it is sure', () => {
    const rule = gac({ primary: 'm0', threshold: 0.7 })
    const other = scored({ b: Math.log(0.99) })
    expect(textsOf(fuseTokens(rule, scored({ a: Math.log(0.8) }), other))).toEqual(['a'])
    expect(textsOf(fuseTokens(rule, scored({ a: Math.log(0.6) }), other))[0]).toBe('b')
  })

  it('GaC does not take a primary for sure that reports no candidate', () => {
    const rule = gac({ primary: 'm0' })
    expect(textsOf(fuseTokens(rule, scored({}, Math.log(0.1)), scored({ b: Math.log(0.99) })))[0]).toBe('b')
  })
})

describe('the product rule', () => {
  it('has scores where rounding left a residual below zero', () => {
    const rounded = { ...scored({ a: Math.log(0.7), b: Math.log(0.3) }), residual: -1e-9 }
    const { candidates } = fuseTokens(FUSION_RULES.product, rounded, scored({ a: Math.log(0.9), c: Math.log(0.1) }))
    expect(candidates.map(({ logprob }) => Number.isFinite(logprob))).toEqual([true, true, true])
    expect(textsOf({ kind: 'tokens', candidates, end: 0, residual: 0 })[0]).toBe('a')
  })
})
