import { type Call, construct, HEAD_ARGUMENTS, withArguments } from './constructors.ts'
import type { Token } from './lexer.ts'
import { placeIn, show, toTokens, unreadable } from './lexer.ts'
import type { Locate, Segment } from './place.ts'
import { withPlaces } from './place.ts'
import type { Arguments, DecoderTerm, Scalar, Term } from './term.ts'
import { checkTerm, MAX_TERM_DEPTH } from './term.ts'

/**
 * Reads the text form of a pathway. From tight to loose: `a + b` fuses distributions, `a ~ b` lets a draft and b
 * decide, `a | b` asks both, `x ! rule` picks one answer, `a ? b` asks b when a's answer is not accepted
 * (`a ?{agree} b` says when), `a > b` lets b revise. References: `*`, `@tag`, `model`, `model@node`, or any name in
 * quotes. Everything else is `name(term, …, key=value, …)`. Throws INVALID_PATHWAY with the position.
 */
export const parsePathway = (text: string): Term => readText(text).term

/** `parsePathway`, with the way back from a part of the term to its place in the text. */
export function readText(text: string): { readonly term: Term; readonly locate: Locate } {
  const parser = new Parser(text)
  const raw = parser.sequence()
  parser.expect('', 'an operator or the end')
  const locate: Locate = path => placeIn(text, parser.positionOf(raw, path))
  return { term: withPlaces(locate, () => checkTerm(raw)), locate }
}

/** Where a part of a term was written: itself, and the arguments it was given. */
interface Written {
  readonly at: number
  readonly named: ReadonlyMap<string, number>
}

class Parser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  #index = 0
  #depth = 0
  /** By the part as it was built, before it was checked. */
  readonly #written = new Map<unknown, Written>()

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
    const at = this.#peek.at
    const { named, ...options } = this.#take('{') ? this.#condition() : {}
    if (++this.#depth > MAX_TERM_DEPTH)
      throw this.error(this.#peek.at, `a pathway is nested at most ${MAX_TERM_DEPTH} deep`)
    const other = joined(this.#gated())
    this.#depth--
    const term = { gate: joined(items), else: other, ...options }
    this.#written.set(term, { at, named: named ?? new Map() })
    return [term]
  }

  #condition(): { accept: string; with?: Arguments; named?: Written['named'] } {
    const named = new Map([['accept', this.#peek.at]])
    const accept = this.word('a condition such as agree')
    const args: Record<string, Scalar> = {}
    while (this.#take(',')) {
      const { at } = this.#peek
      const key = this.word('an argument name')
      if (named.has(key)) throw this.error(at, `${key} is given twice`)
      named.set(key, at)
      this.expect('=', '"="')
      args[key] = this.#scalar()
    }
    this.expect('}', '"}"')
    return { accept, ...withArguments(args), named }
  }

  #picked(): readonly Term[] {
    const items: Term[] = [this.#branches()]
    while (this.#take('!')) {
      const { at } = this.#peek
      const pick = this.word('the name of a rule such as vote')
      const call = this.#take('(') ? this.#arguments() : undefined
      if (call?.terms[0]) throw this.error(call.terms[0].at, `the rule ${pick} takes arguments as key=value`)
      const term = { pick, ...withArguments(this.scalars(call?.named ?? new Map())) }
      this.#written.set(term, { at, named: placesOf(call) })
      items.push(term)
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
    if (token.kind === 'word' && this.#take('(')) return this.#constructed(token.text, this.#arguments(token.at))
    const term = { call: token.text }
    this.#written.set(term, { at: token.at, named: new Map() })
    return term
  }

  #constructed(name: string, call: Call): Term {
    const term = construct(this, name, call)
    const named = placesOf(call)
    const head = named.get(HEAD_ARGUMENTS[name] ?? '')
    const written = { at: call.at, named: head === undefined ? named : new Map([...named, [name, head]]) }
    this.#written.set(term, written)
    if ('decode' in term) this.#written.set(term.decode, written) // what is fused keeps its place inside a fusion
    return term
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

  scalars(named: Call['named']): Arguments {
    const scalars: Record<string, Scalar> = {}
    for (const [key, { value, at }] of named) {
      if (value === undefined) throw this.error(at, `${key} takes a number, a word or text in quotes`)
      scalars[key] = value
    }
    return scalars
  }

  /** Index of the part of `root` that a path leads to: of its argument where it has one of that name, else its own. */
  positionOf(root: Term, path: readonly Segment[]): number {
    let part: unknown = root
    let found = this.#written.get(part)
    for (const segment of path) {
      part = (part as Record<Segment, unknown> | undefined)?.[segment] // a path leads through objects and lists
      found = this.#written.get(part) ?? found
    }
    return found?.named.get(String(path.at(-1))) ?? found?.at ?? 0
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

const placesOf = (call: Call | undefined): ReadonlyMap<string, number> =>
  new Map([...(call?.named ?? [])].map(([key, { at }]) => [key, at]))
