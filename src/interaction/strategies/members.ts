import { ModelNetError } from '../../utils/errors.ts'
import { MAX_MEMBERS } from '../pathway/parameters.ts'
import type { Arguments, DecoderTerm, Term } from '../pathway/term.ts'

/**
 * The members a strategy works with: those it was given, or `n` distinct models of the one reference it was given
 * (`vote(@arithmetic, n=3)`), or of the whole network. Throws INVALID_PATHWAY where `n` would change nothing.
 */
export function membersOf(of: readonly Term[], args: Arguments, defaultCount: number): readonly Term[] {
  const given = of.flatMap(term => ('par' in term && Object.keys(term).length === 1 ? term.par : [term]))
  const [only] = given
  const count = countOf(args, 'n', defaultCount)
  const isChoice = only === undefined || ('call' in only && (only.call === '*' || only.call.startsWith('@')))
  // What was given is that many: a name without a choice behind it is one model, however often it is asked.
  if (given.length > 1 || !isChoice) {
    const { n = given.length } = args
    if (n === given.length) return given
    const members = given.length === 1 ? '1 member is' : `${given.length} members are`
    throw new ModelNetError('INVALID_PATHWAY', `n=${n} chooses nobody: ${members} given; n is for * or one @tag`, {
      details: { argument: 'n' },
    })
  }
  const { call: reference = '*' } = only ?? {}
  if (count === 1) return [only ?? { call: reference }]
  return Array.from({ length: count }, (_, rank) => ({ ...only, call: reference, rank, ranks: count }))
}

/** `n` samples of one model, each drawn for itself. */
export function samplesOf(of: readonly Term[], args: Arguments, defaultCount: number): readonly Term[] {
  const [only = { call: '*' }, ...others] = of
  if (others.length > 0 || !('call' in only))
    throw new ModelNetError('INVALID_PATHWAY', 'samples are taken of one model')
  const temperature = Number(args['temperature'] ?? 0.7)
  return Array.from({ length: countOf(args, 'n', defaultCount) }, () => ({ temperature, ...only }))
}

/** The two terms a strategy is applied to. */
export function twoOf(of: readonly Term[], name: string): readonly [Term, Term] {
  const [first, second, ...others] = membersOf(of, {}, 2)
  if (first && second && others.length === 0) return [first, second]
  throw new ModelNetError('INVALID_PATHWAY', `${name}(…) takes two members, not ${second ? others.length + 2 : 1}`)
}

/** The one term a strategy is applied to; the best model of the network by default. */
export function oneOf(of: readonly Term[], name: string): Term {
  if (of.length > 1) throw new ModelNetError('INVALID_PATHWAY', `${name}(…) takes one term, not ${of.length}`)
  return of[0] ?? { call: '*' }
}

/** Members as decoders. Throws INVALID_PATHWAY for what is not a model. */
export const decodersOf = (members: readonly Term[]): readonly DecoderTerm[] =>
  members.map(member => {
    if ('call' in member) return { lift: member.call }
    if ('decode' in member) return member.decode
    throw new ModelNetError('INVALID_PATHWAY', 'only models can be fused')
  })

/** A whole number from the arguments. */
export function countOf(args: Arguments, name: string, otherwise: number): number {
  const value = args[name] ?? otherwise
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_MEMBERS) return value
  throw new ModelNetError('INVALID_PATHWAY', `${name} is a whole number from 1 to ${MAX_MEMBERS}, not ${String(value)}`)
}

/** A name from the arguments. */
export function nameOf(args: Arguments, name: string, otherwise: string): string {
  const value = args[name] ?? otherwise
  if (typeof value === 'string') return value
  throw new ModelNetError('INVALID_PATHWAY', `${name} is a name, not ${String(value)}`)
}

/** Arguments without those a strategy used itself. */
export function rest(args: Arguments, ...used: readonly string[]): { readonly with?: Arguments } {
  const left = Object.entries(args).filter(([key]) => !used.includes(key))
  return left.length > 0 ? { with: Object.fromEntries(left) } : {}
}
