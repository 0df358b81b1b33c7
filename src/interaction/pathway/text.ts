import type { Token } from './lexer.ts'
import { show, toTokens, unreadable } from './lexer.ts'
import type { Arguments, DecoderTerm, Scalar, Term } from './term.ts'
import { MAX_TERM_DEPTH, parseTerm } from './term.ts'

/**
 * Reads the text form of a pathway. From tight to loose: `a + b` fuses distributions, `a ~ b` lets a draft and b
 * decide, `a | b` asks both, `x ! rule` picks one answer, `a ? b` asks b when a's answer is not accepted
 * (`a ?{agree} b` says when), `a > b` lets b revise. References: `*`, `@tag`, `model`, `model@node`, or any name in
 * quotes. Everything else is `name(term, …, key=value, …)`. Throws INVALID_PATHWAY with the position.
 */
export function parsePathway(text: string): Term {
  const parser = new Parser(text)
  const term = parser.sequence()
  parser.expect('', 'an operator or the end')
  return parseTerm(term)
}

/** What stands in parentheses after a name. */
interface Call {
  readonly at: number
  readonly terms: readonly { readonly term: Term; readonly at: number }[]
  readonly named: ReadonlyMap<string, { readonly term?: Term; readonly value?: Scalar; readonly at: number }>
}

class Parser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  #index = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = toTokens(text)
  }

  sequence(): Term {
    if (++this.#depth > MAX_TERM_DEPTH)
      throw this.error(this.#peek.at, `a pathway is nested at most ${MAX_TERM_DEPTH} deep`)
    const items: Term[] = []
    do items.push(...this.#gated())
    while (this.#take('>'))
    this.#depth--
    const [only] = items
    return items.length === 1 && only ? only : { seq: items }
  }

  /** `a ? b ? c` is `a ? (b ? c)`. One item, or a term and the rules that pick from it. */
  #gated(): readonly Term[] {
    const items = this.#picked()
    if (!this.#take('?')) return items
    const options = this.#take('{') ? this.#condition() : {}
    if (++this.#depth > MAX_TERM_DEPTH)
      throw this.error(this.#peek.at, `a pathway is nested at most ${MAX_TERM_DEPTH} deep`)
    const other = joined(this.#gated())
    this.#depth--
    return [{ gate: joined(items), else: other, ...options }]
  }

  #condition(): { accept: string; with?: Arguments } {
    const accept = this.word('a condition such as agree')
    const args: Record<string, Scalar> = {}
    while (this.#take(',')) {
      const key = this.word('an argument name')
      this.expect('=', '"="')
      args[key] = this.#scalar()
    }
    this.expect('}', '"}"')
    return { accept, ...(Object.keys(args).length > 0 ? { with: args } : {}) }
  }

  #picked(): readonly Term[] {
    const items: Term[] = [this.#branches()]
    while (this.#take('!')) {
      const pick = this.word('the name of a rule such as vote')
      const call = this.#take('(') ? this.#arguments() : undefined
      if (call?.terms[0]) throw this.error(call.terms[0].at, `the rule ${pick} takes arguments as key=value`)
      items.push({ pick, ...withArguments(this.#scalars(call)) })
    }
    return items
  }

  #branches(): Term {
    const items = [this.#speculated()]
    while (this.#take('|')) items.push(this.#speculated())
    return items.length === 1 && items[0] ? items[0] : { par: items }
  }

  #speculated(): Term {
    const at = this.#peek.at
    const lead = this.#fused()
    if (!this.#take('~')) return lead
    const bodyAt = this.#peek.at
    const body = this.#fused()
    return { decode: { speculate: this.decoder(lead, at), body: this.decoder(body, bodyAt) } }
  }

  #fused(): Term {
    const places = [this.#peek.at]
    const items = [this.#atom()]
    while (this.#take('+')) {
      places.push(this.#peek.at)
      items.push(this.#atom())
    }
    if (items.length === 1 && items[0]) return items[0]
    return { decode: { fuse: items.map((item, index) => this.decoder(item, places[index] ?? 0)) } }
  }

  #atom(): Term {
    const token = this.#peek
    if (this.#take('(')) {
      const inner = this.sequence()
      this.expect(')', '")"')
      return inner
    }
    if (this.#take('*')) return { call: '*' }
    if (token.kind !== 'word' && token.kind !== 'string')
      throw this.error(token.at, `expected a model, @tag, * or "(", found ${show(token.text)}`)
    this.#index++
    if (token.kind === 'word' && this.#take('('))
      return build(this, token.text, this.#arguments(token.at), call => this.#scalars(call))
    return { call: token.text }
  }

  /** Reads up to the closing parenthesis. */
  #arguments(at: number = this.#peek.at): Call {
    const terms: { term: Term; at: number }[] = []
    const named = new Map<string, { term?: Term; value?: Scalar; at: number }>()
    while (!this.#take(')')) {
      if (terms.length + named.size > 0) this.expect(',', '"," or ")"')
      const token = this.#peek
      if (token.kind !== 'mark' && this.#tokens[this.#index + 1]?.text === '=' && this.#isMark(1)) {
        this.#index += 2
        if (named.has(token.text)) throw this.error(token.at, `${token.text} is given twice`)
        named.set(token.text, { ...this.#value(), at: token.at })
      } else terms.push({ term: this.sequence(), at: token.at })
    }
    return { at, terms, named }
  }

  /** A value is a scalar when one token stands for it, and always a term too where it can be one. */
  #value(): { term?: Term; value?: Scalar } {
    const token = this.#peek
    const next = this.#tokens[this.#index + 1]
    const alone = next?.kind === 'mark' && (next.text === ',' || next.text === ')')
    if (alone && (token.kind === 'word' || token.kind === 'string'))
      return { value: this.#scalar(), term: { call: token.text } }
    return { term: this.sequence() }
  }

  #scalar(): Scalar {
    const token = this.#peek
    if (token.kind !== 'word' && token.kind !== 'string')
      throw this.error(token.at, `expected a value, found ${show(token.text)}`)
    this.#index++
    return token.kind === 'string' ? token.text : toScalar(token.text)
  }

  #scalars(call: Call | undefined, except: readonly string[] = []): Arguments {
    const scalars: Record<string, Scalar> = {}
    for (const [key, { value, at }] of call?.named ?? []) {
      if (except.includes(key)) continue
      if (value === undefined) throw this.error(at, `${key} takes a number, a word or text in quotes`)
      scalars[key] = value
    }
    return scalars
  }

  decoder(term: Term, at: number): DecoderTerm {
    if ('call' in term && Object.keys(term).length === 1) return { lift: term.call }
    if ('decode' in term && term.maxTokens === undefined) return term.decode
    throw this.error(at, 'only models and fusions of models can be fused or drafted with')
  }

  word(what: string): string {
    const token = this.#peek
    if (token.kind !== 'word') throw this.error(token.at, `expected ${what}, found ${show(token.text)}`)
    this.#index++
    return token.text
  }

  expect(mark: string, what: string): void {
    const token = this.#peek
    if (!(mark === '' ? token.kind === 'end' : this.#take(mark)))
      throw this.error(token.at, `expected ${what}, found ${show(token.text)}`)
  }

  error(at: number, problem: string): Error {
    return unreadable(this.#text, at, problem)
  }

  get #peek(): Token {
    return this.#tokens[this.#index] ?? { kind: 'end', text: '', at: this.#text.length }
  }

  #isMark(ahead: number): boolean {
    return this.#tokens[this.#index + ahead]?.kind === 'mark'
  }

  #take(mark: string): boolean {
    const token = this.#peek
    if (token.kind !== 'mark' || token.text !== mark) return false
    this.#index++
    return true
  }
}

const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/i

/** The value a bare word stands for. */
export const toScalar = (word: string): Scalar =>
  word === 'true' ? true : word === 'false' ? false : NUMBER.test(word) ? Number(word) : word

const joined = (items: readonly Term[]): Term => {
  const [only] = items
  return items.length === 1 && only ? only : { seq: items }
}

const withArguments = (args: Arguments): { with?: Arguments } => (Object.keys(args).length > 0 ? { with: args } : {})

/** `name(…)` as a term: the constructors of the algebra by name, any other name is a strategy. */
function build(
  parser: Parser,
  name: string,
  call: Call,
  scalarsOf: (call: Call, except?: readonly string[]) => Arguments,
): Term {
  const terms = call.terms.map(({ term }) => term)
  const scalars = (...except: string[]): Arguments => scalarsOf({ ...call, named: without(call.named, except) })
  const value = (key: string): Scalar | undefined => call.named.get(key)?.value
  const termOf = (key: string): Term | undefined => call.named.get(key)?.term
  const exactly = (count: number): readonly Term[] => {
    if (terms.length === count) return terms
    throw parser.error(call.at, `${name}(…) takes ${count} term${count === 1 ? '' : 's'}, not ${terms.length}`)
  }
  const first = (count = 1): Term => exactly(count)[0] as Term // counted just above
  const reference = (): string => {
    const term = first()
    if ('call' in term && Object.keys(term).length === 1) return term.call
    throw parser.error(call.at, `${name}(…) takes one model, @tag or rule name`)
  }
  const decoders = (): readonly DecoderTerm[] => call.terms.map(({ term, at }) => parser.decoder(term, at))
  const other = termOf('else')
  const otherwise = other ? { else: other } : {}
  // Fields are checked by parseTerm afterwards: an unknown or ill-typed argument is reported with its place.
  const forms: Readonly<Record<string, () => object>> = {
    call: () => ({ call: reference(), ...scalars() }),
    seq: () => ({ seq: terms }),
    par: () => ({ par: terms, ...scalars() }),
    orElse: () => ({ orElse: terms }),
    pick: () => ({ pick: reference(), ...withArguments(scalars()) }),
    gate: () => ({
      gate: first(2),
      else: terms[1],
      ...(value('accept') === undefined ? {} : { accept: value('accept') }),
      ...withArguments(scalars('accept')),
    }),
    route: () => {
      exactly(0)
      const arms = [...call.named].filter(([key]) => key !== 'else')
      return { route: Object.fromEntries(arms.map(([key, arm]) => [key, arm.term])), ...otherwise }
    },
    loop: () => ({
      loop: first(),
      until: value('until'),
      max: value('max'),
      ...withArguments(scalars('until', 'max')),
    }),
    plan: () => ({ plan: reference(), ...otherwise, ...scalars('else') }),
    decode: () => ({ decode: parser.decoder(first(), call.at), ...scalars() }),
    lift: () => ({ decode: { lift: reference() } }),
    fuse: () => ({
      decode: {
        fuse: decoders(),
        ...(value('rule') === undefined ? {} : { rule: value('rule') }),
        ...(value('weights') === undefined ? {} : { weights: String(value('weights')).split('/').map(Number) }),
        ...withArguments(scalars('rule', 'weights')),
      },
    }),
    speculate: () => {
      exactly(2)
      const [speculate, body] = decoders()
      return { decode: { speculate, body, ...scalars() } }
    },
    within: () => ({ within: scalars(), of: first() }),
    redact: () => ({ redact: value('policy') ?? 'default', ...scalars('policy'), of: first() }),
    audited: () => ({ audited: value('share') ?? 0.05, ...scalars('share'), of: first() }),
    cached: () => ({ cached: value('seconds') ?? 3600, ...scalars('seconds'), of: first() }),
  }
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  const strategy = (): object => ({
    strategy: name,
    ...(terms.length > 0 ? { of: terms } : {}),
    ...withArguments(scalars()),
  })
  return (form ?? strategy)() as Term // checked by parseTerm
}

const without = (named: Call['named'], keys: readonly string[]): Call['named'] =>
  new Map([...named].filter(([key]) => !keys.includes(key)))
