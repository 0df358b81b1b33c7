import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isModelNetError } from '../../utils/errors.ts'
import { printPathway } from './print.ts'
import type { Arguments, DecoderTerm, Term } from './term.ts'
import { parseTerm } from './term.ts'
import { parsePathway } from './text.ts'

describe('the text form of a pathway', () => {
  it.each<[string, Term]>([
    ['*', { call: '*' }],
    ['lab/qwen2.5:7b@12D3KooW', { call: 'lab/qwen2.5:7b@12D3KooW' }],
    ['a > b > c', { seq: [{ call: 'a' }, { call: 'b' }, { call: 'c' }] }],
    ['(a|b) ! vote', { seq: [{ par: [{ call: 'a' }, { call: 'b' }] }, { pick: 'vote' }] }],
    ['a ? c', { gate: { call: 'a' }, else: { call: 'c' } }],
    ['a ? b ? c', { gate: { call: 'a' }, else: { gate: { call: 'b' }, else: { call: 'c' } } }],
    [
      '(a|b) ?{agree, key=number} c',
      { gate: { par: [{ call: 'a' }, { call: 'b' }] }, else: { call: 'c' }, accept: 'agree', with: { key: 'number' } },
    ],
    ['a > b+c', { seq: [{ call: 'a' }, { decode: { fuse: [{ lift: 'b' }, { lift: 'c' }] } }] }],
    ['a+b > c', { seq: [{ decode: { fuse: [{ lift: 'a' }, { lift: 'b' }] } }, { call: 'c' }] }],
    ['a ~ b + c', { decode: { speculate: { lift: 'a' }, body: { fuse: [{ lift: 'b' }, { lift: 'c' }] } } }],
    ['vote(@arithmetic, n=3)', { strategy: 'vote', of: [{ call: '@arithmetic' }], with: { n: 3 } }],
    ['debate(a|b|c)', { strategy: 'debate', of: [{ par: [{ call: 'a' }, { call: 'b' }, { call: 'c' }] }] }],
    ['single()', { strategy: 'single' }],
    [
      'fuse(a, b, rule=duet, weights=0.7/0.3)',
      { decode: { fuse: [{ lift: 'a' }, { lift: 'b' }], rule: 'duet', weights: [0.7, 0.3] } },
    ],
    [
      'within(a | b, calls=2, deadlineMs=500)',
      { within: { calls: 2, deadlineMs: 500 }, of: { par: [{ call: 'a' }, { call: 'b' }] } },
    ],
    [
      'route(arithmetic=a > b, else=*)',
      { route: { arithmetic: { seq: [{ call: 'a' }, { call: 'b' }] } }, else: { call: '*' } },
    ],
    ['plan(@planner, else=*)', { plan: '@planner', else: { call: '*' } }],
    ['redact(a)', { redact: 'default', of: { call: 'a' } }],
    ['"odd+name" | b', { par: [{ call: 'odd+name' }, { call: 'b' }] }],
  ])('reads %s', (text, term) => {
    expect(parsePathway(text)).toEqual(term)
    expect(parsePathway(printPathway(term))).toEqual(term)
  })

  it.each([
    ['', 0, 'expected a model'],
    ['a >', 3, 'expected a model'],
    ['a b', 2, 'expected an operator'],
    ['(a | b', 6, 'expected ")"'],
    ['a ! 3)', 5, 'expected an operator'],
    ['a & b', 2, 'unexpected "&"'],
    ['(a | b) + c', 0, 'only models'],
    ['a ! "vote', 4, 'closing quote'],
    ['gate(a)', 0, 'takes 2 terms'],
    ['vote(a, n=3, n=4)', 13, 'given twice'],
  ])('says where %j cannot be read', (text, position, problem) => {
    const error = catching(() => parsePathway(text))
    expect(error.code).toBe('INVALID_PATHWAY')
    expect(error.message).toContain(problem)
    expect(error.details['position']).toBe(position)
  })

  it('refuses bad arguments, deep nesting and endless text', () => {
    expect(catching(() => parsePathway('par(a, b, quorum=0)')).message).toContain('quorum')
    expect(catching(() => parsePathway('call(a, colour=red)')).message).toContain('colour')
    expect(catching(() => parsePathway(`${'('.repeat(500)}a${')'.repeat(500)}`)).message).toContain('nested')
    expect(catching(() => parsePathway(Array(9000).fill('a').join('?'))).message).toContain('characters')
    expect(catching(() => parsePathway(Array(2000).fill('a').join('?'))).message).toContain('nested')
  })

  it('reads back what it printed, for any term', () => {
    fc.assert(
      fc.property(anyTerm, term => {
        const printed = printPathway(term)
        expect(parsePathway(printed)).toEqual(term)
        expect(printPathway(parsePathway(printed))).toBe(printed)
      }),
      { numRuns: 500 },
    )
  })

  it('never throws anything but INVALID_PATHWAY', () => {
    const characters = fc.constantFrom(...'ab@*>|!?+~(),={}"\\ 1.-n')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(characters).map(list => list.join('')),
        ),
        text => {
          try {
            parsePathway(text)
          } catch (error) {
            expect(isModelNetError(error) && error.code).toBe('INVALID_PATHWAY')
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})

it('says where a JSON pathway is wrong', () => {
  expect(catching(() => parseTerm({ seq: [{ call: 'a' }, { nope: 1 }] })).message).toContain('at pathway.seq.1')
  expect(catching(() => parseTerm({ call: 'a', foo: 1 })).message).toContain('foo')
})

function catching(action: () => unknown): { code: string; message: string; details: Record<string, unknown> } {
  try {
    action()
  } catch (error) {
    if (isModelNetError(error)) return error as never
    throw error
  }
  throw new Error('nothing was thrown')
}

const name = fc.oneof(
  fc.constantFrom('a', 'b7', '@arithmetic', '@skill:x', '*', 'lab/m.1:q@node', '深度', 'n'),
  fc.string({ minLength: 1, maxLength: 6 }),
)
const word = fc.constantFrom('vote', 'agree', 'judge', 'mean')
const scalar = fc.oneof(
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(x => (Object.is(x, -0) ? 0 : x)),
  fc.string({ maxLength: 5 }),
  word,
)
const args = fc.dictionary(fc.constantFrom('key', 'n', 'by', 'at'), scalar, { minKeys: 1 }) as fc.Arbitrary<Arguments>
const optional = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>

const { term: anyTerm } = fc.letrec<{ term: Term; decoder: DecoderTerm }>(tie => {
  const list = (min: number) => fc.array(tie('term'), { minLength: min, maxLength: 3 })
  const both = <A extends object, B extends object>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>) =>
    fc.tuple(a, b).map(([x, y]) => ({ ...x, ...y }))
  const strategyName = fc.constantFrom('single', 'debate', 'moa')
  return {
    decoder: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'd' },
      name.map(lift => ({ lift })),
      both(
        fc.record({ fuse: fc.array(tie('decoder'), { minLength: 1, maxLength: 3 }) }),
        optional({
          rule: word,
          weights: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 3 }),
          with: args,
        }),
      ),
      both(
        fc.record({ speculate: tie('decoder'), body: tie('decoder') }),
        optional({ bytes: fc.integer({ min: 1, max: 64 }) }),
      ),
    ) as fc.Arbitrary<DecoderTerm>,
    term: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'd' },
      both(
        name.map(call => ({ call })),
        optional({ role: fc.constantFrom('revise' as const), rank: fc.nat(9), temperature: fc.constant(0.7) }),
      ),
      fc.record({ seq: list(1) }),
      both(fc.record({ par: list(1) }), optional({ quorum: fc.integer({ min: 1, max: 3 }), decide: word })),
      both(fc.record({ pick: word }), optional({ with: args })),
      both(fc.record({ gate: tie('term'), else: tie('term') }), optional({ accept: word, with: args })),
      both(
        fc.record({ route: fc.dictionary(fc.constantFrom('arithmetic', 'skill:x', 'a b'), tie('term')) }),
        optional({ else: tie('term') }),
      ),
      both(
        fc.record({ loop: tie('term'), until: word, max: fc.integer({ min: 1, max: 9 }) }),
        optional({ with: args }),
      ),
      fc.record({ orElse: list(1) }),
      both(
        name.map(plan => ({ plan })),
        optional({ else: tie('term'), join: name }),
      ),
      both(fc.record({ decode: tie('decoder') }), optional({ maxTokens: fc.integer({ min: 1, max: 99 }) })),
      both(
        strategyName.map(strategy => ({ strategy })),
        optional({ of: list(1), with: args }),
      ),
      fc.record({
        within: optional({ calls: fc.integer({ min: 1, max: 9 }), cost: fc.constant(0.5) }),
        of: tie('term'),
      }),
      fc.record({ redact: word, of: tie('term') }),
      both(fc.record({ audited: fc.constant(0.05), of: tie('term') }), optional({ by: name })),
      fc.record({ cached: fc.integer({ min: 1, max: 99 }), of: tie('term') }),
    ) as fc.Arbitrary<Term>,
  }
})
