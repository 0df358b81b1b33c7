import { WORD } from './lexer.ts'
import type { Arguments, DecoderTerm, Scalar, Term } from './term.ts'
import { toScalar } from './text.ts'

/** How loosely a text form holds together; a part that is looser than its place is put in parentheses. */
const LEVEL = { sequence: 0, gate: 1, pick: 2, branches: 3, speculate: 4, fuse: 5, atom: 6 } as const

type Printed = readonly [text: string, level: number]

/** The text form of a term, with as few parentheses as it needs. `parsePathway` reads the same term back. */
export const printPathway = (term: Term): string => print(term)[0]

/** The text form of a decoder. */
const printDecoder = (decoder: DecoderTerm): string => printed(decoder)[0]

function print(term: Term): Printed {
  if ('call' in term) {
    const { call, ...options } = term
    return Object.keys(options).length === 0 ? [reference(call), LEVEL.atom] : apply('call', [reference(call)], options)
  }
  if ('seq' in term) return sequence(term.seq)
  if ('par' in term) {
    const { par, ...options } = term
    if (par.length > 1 && Object.keys(options).length === 0)
      return [par.map(part => at(LEVEL.speculate, print(part))).join(' | '), LEVEL.branches]
    return apply('par', par.map(printPathway), options)
  }
  if ('pick' in term) return apply('pick', [reference(term.pick)], term.with)
  if ('gate' in term) return gate(term)
  if ('route' in term) {
    const arms = [...Object.entries(term.route), ...(term.else ? [['else', term.else] as const] : [])]
    return [`route(${arms.map(([tag, arm]) => `${scalar(tag)}=${argument(arm)}`).join(', ')})`, LEVEL.atom]
  }
  if ('loop' in term)
    return apply('loop', [printPathway(term.loop)], { until: term.until, max: term.max, ...term.with })
  if ('orElse' in term) return apply('orElse', term.orElse.map(printPathway))
  if ('plan' in term) {
    const parts = [reference(term.plan), ...(term.else ? [`else=${argument(term.else)}`] : [])]
    return apply('plan', parts, term.join === undefined ? {} : { join: term.join })
  }
  if ('decode' in term) {
    const { decode, maxTokens } = term
    if (maxTokens !== undefined) return apply('decode', [printDecoder(decode)], { maxTokens })
    return 'lift' in decode ? apply('decode', [reference(decode.lift)]) : printed(decode)
  }
  if ('strategy' in term) return apply(term.strategy, (term.of ?? []).map(printPathway), term.with)
  const inner = printPathway(term.of)
  if ('within' in term) return apply('within', [inner], { ...term.within })
  if ('redact' in term) return apply('redact', [inner], { policy: term.redact })
  if ('audited' in term)
    return apply('audited', [inner], { share: term.audited, ...(term.by === undefined ? {} : { by: term.by }) })
  return apply('cached', [inner], { seconds: term.cached })
}

/** `a > b ! rule > c`; a sequence inside a sequence keeps its parentheses, so that nesting survives. */
function sequence(terms: readonly Term[]): Printed {
  const [head] = terms
  if (terms.length < 2 || !head || 'pick' in head) return apply('seq', terms.map(printPathway))
  const stages: string[] = []
  terms.forEach((term, index) => {
    const next = terms[index + 1]
    if ('pick' in term) {
      const rule = term.with ? apply(term.pick, [], term.with)[0] : term.pick
      stages.push(`${stages.pop()} ! ${rule}`)
    } else if ('seq' in term) stages.push(at(LEVEL.atom, print(term)))
    else stages.push(at(next && 'pick' in next ? LEVEL.branches : LEVEL.gate, print(term)))
  })
  return [stages.join(' > '), stages.length > 1 ? LEVEL.sequence : LEVEL.pick]
}

function gate(term: Extract<Term, { gate: Term }>): Printed {
  const condition = term.accept === undefined ? '' : `{${[term.accept, ...named(term.with)].join(', ')}}`
  if (term.accept === undefined && term.with)
    return apply('gate', [printPathway(term.gate), printPathway(term.else)], term.with)
  return [`${at(LEVEL.pick, print(term.gate))} ?${condition} ${at(LEVEL.gate, print(term.else))}`, LEVEL.gate]
}

function printed(decoder: DecoderTerm): Printed {
  if ('lift' in decoder) return [reference(decoder.lift), LEVEL.atom]
  if ('fuse' in decoder) {
    const { fuse, rule, weights } = decoder
    const options = {
      ...(rule === undefined ? {} : { rule }),
      ...(weights ? { weights: weights.map(number).join('/') } : {}),
      ...decoder.with,
    }
    if (fuse.length > 1 && Object.keys(options).length === 0)
      return [fuse.map(part => at(LEVEL.atom, printed(part))).join(' + '), LEVEL.fuse]
    return apply('fuse', fuse.map(printDecoder), options)
  }
  const { speculate, body, bytes } = decoder
  if (bytes !== undefined) return apply('speculate', [printDecoder(speculate), printDecoder(body)], { bytes })
  return [`${at(LEVEL.fuse, printed(speculate))} ~ ${at(LEVEL.fuse, printed(body))}`, LEVEL.speculate]
}

const at = (level: number, [text, own]: Printed): string => (own < level ? `(${text})` : text)

const apply = (name: string, parts: readonly string[], options: object = {}): Printed => [
  `${name}(${[...parts, ...named(options as Arguments)].join(', ')})`,
  LEVEL.atom,
]

const named = (options: Arguments = {}): readonly string[] =>
  Object.entries(options).map(([key, value]) => `${key}=${typeof value === 'number' ? number(value) : scalar(value)}`)

/** A term as the value of an argument: a sequence may stand there without parentheses. */
const argument = (term: Term): string => printPathway(term)

const reference = (name: string): string => (name === '*' || isWord(name) ? name : JSON.stringify(name))

/** `1e+21` is written without the plus, which is an operator here. */
const number = (value: number): string => String(value).replace('+', '')

function scalar(value: Scalar): string {
  if (typeof value !== 'string') return String(value)
  return isWord(value) && typeof toScalar(value) === 'string' ? value : JSON.stringify(value)
}

function isWord(text: string): boolean {
  WORD.lastIndex = 0
  return WORD.exec(text)?.[0] === text
}
