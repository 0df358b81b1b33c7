import { unknownName } from './near.ts'
import type { Arguments, DecoderTerm, Scalar, Term } from './term.ts'

/** What stands in parentheses after a name. */
export interface Call {
  readonly at: number
  readonly terms: readonly { readonly term: Term; readonly at: number }[]
  readonly named: ReadonlyMap<string, Named>
}

interface Named {
  readonly term?: Term
  readonly value?: Scalar
  readonly at: number
}

/** What the constructors need of the parser that reads for them. */
export interface Reader {
  /** INVALID_PATHWAY at a place of the text. */
  error(at: number, problem: string): Error
  decoder(term: Term, at: number): DecoderTerm
  scalars(named: Call['named']): Arguments
}

/** Arguments that each constructor of the algebra reads itself; `open` ones also take those of what they name. */
const OWN: Readonly<Record<string, { readonly named: readonly string[]; readonly open?: true }>> = {
  call: { named: ['role', 'rank', 'ranks', 'temperature', 'maxTokens', 'confidence'] },
  seq: { named: [] },
  par: { named: ['quorum', 'tolerate', 'decide'] },
  orElse: { named: [] },
  pick: { named: [], open: true },
  gate: { named: ['accept'], open: true },
  route: { named: [], open: true },
  loop: { named: ['until', 'max'], open: true },
  plan: { named: ['else', 'join'] },
  decode: { named: ['maxTokens'] },
  lift: { named: [] },
  fuse: { named: ['rule', 'weights'], open: true },
  speculate: { named: ['bytes'] },
  within: { named: ['calls', 'tokens', 'cost', 'deadlineMs'] },
  redact: { named: ['policy'] },
  audited: { named: ['share', 'by'] },
  cached: { named: ['seconds'] },
}

/** The argument in which the text form gives the head field of a term. */
export const HEAD_ARGUMENTS: Readonly<Record<string, string>> = {
  redact: 'policy',
  audited: 'share',
  cached: 'seconds',
}

/** `name(…)` as a term: the constructors of the algebra by name, any other name is a strategy. */
export function construct(reader: Reader, name: string, call: Call): Term {
  const terms = call.terms.map(({ term }) => term)
  const scalars = (...except: string[]): Arguments => reader.scalars(without(call.named, except))
  const value = (key: string): Scalar | undefined => call.named.get(key)?.value
  const termOf = (key: string): Term | undefined => call.named.get(key)?.term
  const exactly = (count: number): readonly Term[] => {
    if (terms.length === count) return terms
    throw reader.error(call.at, `${name}(…) takes ${count} term${count === 1 ? '' : 's'}, not ${terms.length}`)
  }
  const first = (count = 1): Term => exactly(count)[0] as Term // counted just above
  const reference = (): string => {
    const term = first()
    if ('call' in term && Object.keys(term).length === 1) return term.call
    throw reader.error(call.at, `${name}(…) takes one model, @tag or rule name`)
  }
  const decoders = (): readonly DecoderTerm[] => call.terms.map(({ term, at }) => reader.decoder(term, at))
  const other = termOf('else')
  const otherwise = other ? { else: other } : {}
  // Ranges are checked by parseTerm afterwards, the arguments of rules and strategies when their names are looked up.
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
    decode: () => ({ decode: reader.decoder(first(), call.at), ...scalars() }),
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
    redact: () => ({ redact: value('policy') ?? 'default', of: first() }),
    audited: () => ({ audited: value('share') ?? 0.05, ...scalars('share'), of: first() }),
    cached: () => ({ cached: value('seconds') ?? 3600, of: first() }),
  }
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined
  if (form) refuseUnknown(reader, name, call)
  const strategy = (): object => ({
    strategy: name,
    ...(terms.length > 0 ? { of: terms } : {}),
    ...withArguments(scalars()),
  })
  return (form ?? strategy)() as Term // checked by parseTerm
}

export const withArguments = (args: Arguments): { with?: Arguments } =>
  Object.keys(args).length > 0 ? { with: args } : {}

function refuseUnknown(reader: Reader, name: string, { named }: Call): void {
  const own = OWN[name]
  if (!own || own.open) return
  for (const [key, { at }] of named)
    if (!own.named.includes(key)) throw reader.error(at, unknownName(`${name}(…)`, 'argument', key, own.named))
}

const without = (named: Call['named'], keys: readonly string[]): Call['named'] =>
  new Map([...named].filter(([key]) => !keys.includes(key)))
