import { describe, expect, it } from 'vitest'
import { CONDITIONS } from '../conditions/index.ts'
import { readPathway } from '../read-pathway.ts'
import { RULES } from '../rules/index.ts'
import { defaultVocabulary, strategies } from '../strategies/index.ts'
import { FUSION_PARAMETERS } from './decoder-plan.ts'
import type { Parameter, Parameters } from './parameters.ts'
import type { Arguments, Scalar, Term } from './term.ts'

interface Owner {
  readonly name: string
  readonly parameters: Parameters
  /** A term in which this has the arguments, and the way to them. */
  readonly term: (args: Arguments) => Term
  readonly path: readonly string[]
  /** The same in the text form. */
  readonly text: (args: string) => string
}

const three = [{ call: 'a' }, { call: 'b' }, { call: 'c' }]
const membersOf = (name: string): readonly Term[] =>
  /^(single|consistency|self-moa|dynamic|planned|abstain|grounded)$/.test(name)
    ? three.slice(0, 1)
    : /^(guaranteed|verified)$/.test(name)
      ? three.slice(0, 2)
      : three
const needed = (name: string): Arguments => (name === 'guaranteed' ? { at: 0.9 } : {})

const OWNERS: readonly Owner[] = [
  ...strategies().map(
    ({ name, parameters = {} }): Owner => ({
      name: `strategy ${name}`,
      parameters,
      term: args => ({ strategy: name, of: membersOf(name), with: { ...needed(name), ...args } }),
      path: ['with'],
      text: args => `${name}(${membersOf(name).flatMap(term => ('call' in term ? term.call : []))}, ${args})`,
    }),
  ),
  ...RULES.map(
    ({ name, parameters = {} }): Owner => ({
      name: `rule ${name}`,
      parameters,
      term: args => ({ seq: [{ par: three }, { pick: name, with: args }] }),
      path: ['seq', '1', 'with'],
      text: args => `(a | b | c) ! ${name}(${args})`,
    }),
  ),
  ...CONDITIONS.map(
    ({ name, parameters = {} }): Owner => ({
      name: `condition ${name}`,
      parameters,
      term: args => ({ gate: { call: 'a' }, else: { call: 'b' }, accept: name, with: args }),
      path: ['with'],
      text: args => `a ?{${name}, ${args}} b`,
    }),
  ),
  ...Object.entries(FUSION_PARAMETERS).map(
    ([name, parameters]): Owner => ({
      name: `fusion rule ${name}`,
      parameters,
      term: args => ({ decode: { fuse: [{ lift: 'a' }, { lift: 'b' }, { lift: 'c' }], rule: name, with: args } }),
      path: ['decode', 'with'],
      text: args => `fuse(a, b, c, rule=${name}, ${args})`,
    }),
  ),
]

const vocabulary = defaultVocabulary()
const refused = (pathway: string | Term): { code: string; message: string; details: Record<string, unknown> } => {
  try {
    readPathway(pathway, vocabulary)
  } catch (error) {
    return error as never // every assertion below looks at its code first
  }
  throw new Error(`${JSON.stringify(pathway)} was accepted`)
}

const WRONG: Readonly<Record<Parameter['kind'], readonly Scalar[]>> = {
  count: ['abc', 1.5, -1, 100_000, true],
  number: ['abc', -1, 1000, false],
  name: [3, true, ''],
  flag: ['maybe', 0],
  choice: ['sideways', 7],
}
const right = (parameter: Parameter): Scalar =>
  parameter.kind === 'flag'
    ? false
    : parameter.kind === 'name'
      ? 'b'
      : parameter.kind === 'choice'
        ? (parameter.of.at(-1) ?? '')
        : parameter.max

describe.each(OWNERS.map(owner => [owner.name, owner] as const))('the arguments of the %s', (name, owner) => {
  it('that it does not take are refused with their name, what it takes, and their place', () => {
    const inJson = refused(owner.term({ nonsense: 1 }))
    expect(inJson.code).toBe('INVALID_PATHWAY')
    expect(inJson.message).toContain(`the ${name} has no argument nonsense`)
    expect(inJson.message).toContain(['at pathway', ...owner.path, 'nonsense'].join('.'))
    for (const known of Object.keys(owner.parameters).slice(0, 12)) expect(inJson.message).toContain(known)
    const text = owner.text('nonsense=1')
    const inText = refused(text)
    expect(inText.code).toBe('INVALID_PATHWAY')
    expect(inText.message).toContain(`the ${name} has no argument nonsense`)
    expect(inText.details['position']).toBe(text.indexOf('nonsense'))
  })

  it('that are misspelt are told with what was meant', () => {
    for (const key of Object.keys(owner.parameters).filter(each => each.length > 2 && !/^at\d/.test(each))) {
      const misspelt = `${key[0]}${key[2]}${key[1]}${key.slice(3)}`
      if (Object.hasOwn(owner.parameters, misspelt)) continue
      expect(refused(owner.text(`${misspelt}=1`)).message).toMatch(new RegExp(`did you mean [^?]*\\b${key}\\b`))
    }
  })

  it('of another kind or out of range are refused with what is expected', () => {
    for (const [key, parameter] of Object.entries(owner.parameters))
      for (const value of WRONG[parameter.kind]) {
        const { code, message } = refused(owner.term({ [key]: value }))
        expect(code).toBe('INVALID_PATHWAY')
        expect(message).toContain(`${key} of the ${name} is `)
        expect(message).toContain(['at pathway', ...owner.path, key].join('.'))
      }
  })
})

describe('the arguments of strategies', () => {
  it.each(
    strategies().flatMap(({ name, parameters = {}, build }) =>
      Object.entries(parameters).map(([key, parameter]) => [`${name}(${key}=…)`, name, key, parameter, build] as const),
    ),
  )('%s changes what is built', (_, name, key, parameter, build) => {
    // `n` is for strategies that choose their members themselves; the others were given as many as they take
    const of = key === 'n' || (name === 'joint' && key !== 'by') ? [] : membersOf(name)
    const value = name === 'staircase' && /\d$/.test(key) ? 0.1 : key === 'how' ? 'compete' : right(parameter)
    const term = (args: Arguments): Term => ({ strategy: name, of, with: { ...needed(name), ...args } })
    if (name === 'staircase' && Number(key.slice(2)) >= of.length && key !== 'at' && key !== 'n') {
      expect(refused(term({ [key]: value })).message).toContain('has no stair')
      return
    }
    const built = (args: Arguments): unknown => {
      const made = build(of, { ...needed(name), ...args })
      return 'run' in made ? made.bound() : made
    }
    if (name === 'dynamic' && key === 'explore') return // a probability of its path: mutual/dynamic.test.ts
    expect(built({ [key]: key === 'at' ? 0.1 : value })).not.toEqual(built({}))
  })

  it('that choose among members that were given are refused', () => {
    expect(refused('vote(a | b | c, n=5)').message).toContain('n=5 chooses nobody: 3 members are given')
    expect(refused('vote(a, n=3)').message).toContain('n=3 chooses nobody')
    expect(refused('vote(a, n=3)').details['position']).toBe(8)
    expect(refused('verified(a, b, c)').message).toContain('takes two members, not 3')
    expect(refused('roles(a, b, c, d, e)').message).toContain('4 roles')
    expect(() => readPathway('vote(a | b | c, n=3)', vocabulary)).not.toThrow()
  })
})

describe('what constructors do not take', () => {
  it.each([
    ['debate(a | b, round=1)', 14, 'did you mean rounds?'],
    ['(a|b) ?{agree, shre=0.5} c', 15, 'did you mean share?'],
    ['fuse(a, b, rul=mean)', 11, 'the fusion rule mean has no argument rul; did you mean rule?'],
    ['gate(a, b, acept=agree)', 11, 'did you mean accept?'],
    ['loop(a, until=agree, max=2, maxx=3)', 28, 'did you mean max?'],
    ['a > debate(b | c, rounds=abc)', 18, 'a whole number from 1 to 16, not "abc"'],
    ['debate(a | b, rounds=-1)', 14, 'a whole number from 1 to 16, not -1'],
    ['call(a, temprature=1)', 8, 'did you mean temperature?'],
    ['call(a, temperature=99)', 8, 'temperature: '],
    ['seq(a, b, n=1)', 10, 'it takes no arguments'],
    ['orElse(a, b, max=1)', 13, 'it takes no arguments'],
    ['within(a, call=3)', 10, 'did you mean calls?'],
    ['within(a, calls=0)', 10, 'calls: '],
    ['redact(a, polcy=default)', 10, 'did you mean policy?'],
    ['redact(a, policy=defalt)', 10, 'did you mean default?'],
    ['audited(a, shre=0.1)', 11, 'did you mean share?'],
    ['cached(a, second=1)', 10, 'did you mean seconds?'],
    ['speculate(a, b, byte=4)', 16, 'did you mean bytes?'],
    ['plan(@p, othr=a)', 9, 'it takes else, join'],
    ['loop(a, until=agree, max=2, shre=1)', 28, 'did you mean share?'],
    ['loop(a, until=agre, max=2)', 8, 'did you mean agree'],
    ['gate(a, b, accept=agree, kep=true)', 25, 'keep'],
    ['par(a, b, quorm=1)', 10, 'did you mean quorum?'],
    ['fuse(a, b, weights=1/2/3)', 11, '2 members and 3 weights'],
    ['fuse(a, b, rule=maen)', 11, 'did you mean mean'],
    ['a > (b | c) ! wote > d', 14, 'did you mean vote?'],
    ['moa(debate(a | b, round=1) | c)', 18, 'did you mean rounds?'],
    ['joint(a | b, strength=1)', 0, 'the fusion rule mean has no argument strength'],
  ])('%s is refused at character %i + 1', (text, position, problem) => {
    const { code, message, details } = refused(text)
    expect(code).toBe('INVALID_PATHWAY')
    expect(message).toContain(problem)
    expect(details['position']).toBe(position)
  })

  it.each<[unknown, string, string]>([
    [{ within: { call: 3 }, of: { call: 'a' } }, 'did you mean calls?', 'pathway.within.call'],
    [{ call: 'a', temprature: 1 }, 'did you mean temperature?', 'pathway.temprature'],
    [{ redact: 'defalt', of: { call: 'a' } }, 'did you mean default?', 'pathway.redact'],
    [{ strategy: 'vote', wiht: { n: 3 } }, 'did you mean with?', 'pathway.wiht'],
    [{ seq: [{ call: 'a' }, { pick: 'wote' }] }, 'did you mean vote?', 'pathway.seq.1.pick'],
    [{ decode: { fuse: [{ lift: 'a' }], rul: 'mean' } }, 'did you mean rule?', 'pathway.decode.rul'],
    [
      { strategy: 'moa', of: [{ par: [{ strategy: 'debate', with: { round: 1 } }, { call: 'c' }] }] },
      'did you mean rounds?',
      'pathway.of.0.par.0.with.round',
    ],
  ])('%j is refused with its place', (json, problem, place) => {
    for (const given of [json as Term, JSON.stringify(json)]) {
      const { code, message } = refused(given)
      expect(code).toBe('INVALID_PATHWAY')
      expect(message).toContain(problem)
      expect(message).toContain(`at ${place}`)
    }
  })
})
