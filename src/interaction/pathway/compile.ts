import { isModelNetError } from '../../utils/errors.ts'
import { REDACTION_POLICIES } from '../redaction.ts'
import { checkDecoder } from './decoder-plan.ts'
import { unknownItem } from './near.ts'
import { checkArguments, FLAG, type Parameters } from './parameters.ts'
import type { Path } from './path.ts'
import { auditedPath } from './paths/audited.ts'
import { cachedPath } from './paths/cached.ts'
import { callPath } from './paths/call.ts'
import { decodePath } from './paths/decode.ts'
import { gatePath } from './paths/gate.ts'
import { loopPath } from './paths/loop.ts'
import { orElsePath } from './paths/or-else.ts'
import { parPath } from './paths/par.ts'
import { pickPath } from './paths/pick.ts'
import { planPath } from './paths/plan.ts'
import { redactPath } from './paths/redact.ts'
import { routePath } from './paths/route.ts'
import { seqPath } from './paths/seq.ts'
import { withinPath } from './paths/within.ts'
import { defect, type Segment } from './place.ts'
import { printPathway } from './print.ts'
import type { Arguments, Term } from './term.ts'
import { MAX_TERM_DEPTH } from './term.ts'
import type { Strategy, Vocabulary } from './vocabulary.ts'

/** Where in a pathway a term stands: how deep, in how many rounds of loops, and what was built before it. */
interface Place {
  readonly depth: number
  readonly rounds: number
  readonly built: { terms: number }
  /** The way to it in what was written; inside of a strategy the way to the strategy, as nobody wrote the rest. */
  readonly path: readonly Segment[]
  readonly isWritten: boolean
  /** Terms that strategies were applied to, and the ways to them: they are written, wherever strategies put them. */
  readonly written: Map<Term, readonly Segment[]>
}

/** Strategies repeat their members (16 layers of 16), and may be nested: a line of text must not build millions. */
const MAX_BUILT_TERMS = 4096

/** Two loops of the longest that is allowed (64), one within the other. */
const MAX_ROUNDS = 4096

/** What every gate takes besides the arguments of its condition. */
const GATE: Parameters = { keep: FLAG }

/**
 * Turns a term into a path. Names of rules, conditions, strategies and fusion rules are looked up now and their arguments
 * are checked, so a misspelt pathway fails before anything runs; models are looked up when their call starts. Throws
 * INVALID_PATHWAY with the way to the part of the term that is wrong.
 */
export const compile = (term: Term, vocabulary: Vocabulary): Path =>
  compileAt(term, vocabulary, {
    depth: 0,
    rounds: 1,
    built: { terms: 0 },
    path: [],
    isWritten: true,
    written: new Map(),
  })

function compileAt(term: Term, vocabulary: Vocabulary, given: Place): Path {
  const own = given.isWritten ? undefined : given.written.get(term)
  const place = own ? { ...given, path: own, isWritten: true } : given
  const { depth, rounds, built, path, isWritten, written } = place
  const here = (...inner: readonly Segment[]): readonly Segment[] => (isWritten ? [...path, ...inner] : path)
  if (depth > MAX_TERM_DEPTH) throw defect(`a pathway is nested at most ${MAX_TERM_DEPTH} deep`, here())
  if (++built.terms > MAX_BUILT_TERMS)
    throw defect(`a pathway with its strategies written out has at most ${MAX_BUILT_TERMS} terms`, here())
  const inner = (part: Term, way: readonly Segment[], max = 1): Path =>
    compileAt(part, vocabulary, { ...place, depth: depth + 1, rounds: rounds * max, path: here(...way) })
  const all = (parts: readonly Term[], field: string): readonly Path[] =>
    parts.map((part, index) => inner(part, [field, index]))
  const named = <T extends { readonly parameters?: Parameters }>(
    kind: string,
    field: string,
    name: string,
    items: ReadonlyMap<string, T>,
    args: Arguments = {},
    more: Parameters = {},
  ): T => {
    const item = items.get(name)
    if (item === undefined) throw unknownItem(kind, name, [...items.keys()], here(field))
    const beside = field === 'until' ? ['until', 'max'] : field === 'accept' ? ['accept'] : []
    checkArguments(`the ${kind} ${name}`, { ...item.parameters, ...more }, args, key => here('with', key), beside)
    return item
  }
  const { rules, conditions, strategies } = vocabulary
  if ('call' in term) return callPath(term)
  if ('seq' in term) return seqPath(all(term.seq, 'seq'))
  if ('par' in term) {
    const { par, quorum, tolerate, decide } = term
    return parPath(all(par, 'par'), {
      ...(quorum === undefined ? {} : { quorum }),
      ...(tolerate === undefined ? {} : { tolerate }),
      ...(decide === undefined ? {} : { decide: named('rule', 'decide', decide, rules) }),
    })
  }
  if ('pick' in term) return pickPath(named('rule', 'pick', term.pick, rules, term.with), term.with)
  if ('gate' in term) {
    const condition = named('condition', 'accept', term.accept ?? 'sure', conditions, term.with, GATE)
    return gatePath(inner(term.gate, ['gate']), inner(term.else, ['else']), condition, term.with)
  }
  if ('route' in term)
    return routePath(
      Object.fromEntries(Object.entries(term.route).map(([tag, arm]) => [tag, inner(arm, ['route', tag])])),
      term.else && inner(term.else, ['else']),
    )
  if ('loop' in term) {
    if (rounds * term.max > MAX_ROUNDS)
      throw defect(`loops within loops make at most ${MAX_ROUNDS} rounds together`, here('max'))
    const until = named('condition', 'until', term.until, conditions, term.with)
    return loopPath(inner(term.loop, ['loop'], term.max), until, term.max, term.with)
  }
  if ('orElse' in term) return orElsePath(all(term.orElse, 'orElse'))
  if ('plan' in term)
    return planPath(term.plan, inner(term.else ?? { call: '*' }, ['else']), {
      ...(term.join === undefined ? {} : { join: term.join }),
      together: (reference, count) => compile(surestOf(reference, count), vocabulary),
    })
  if ('decode' in term) {
    checkDecoder(term.decode, (...way) => here('decode', ...way))
    return decodePath(term.decode, term.maxTokens)
  }
  if ('strategy' in term) {
    const { strategy: name, of = [], with: args = {} } = term
    const strategy = named('strategy', 'strategy', name, strategies, args)
    if (isWritten)
      for (const [index, part] of of.entries()) {
        written.set(part, here('of', index))
        if ('par' in part) for (const [at, each] of part.par.entries()) written.set(each, here('of', index, 'par', at))
      }
    const made = builtBy(strategy, of, args, here())
    if ('run' in made) return made
    return compileAt(made, vocabulary, { ...place, depth: depth + 1, path: here(), isWritten: false })
  }
  if ('within' in term) return withinPath(inner(term.of, ['of']), term.within)
  if ('redact' in term) {
    if (!Object.hasOwn(REDACTION_POLICIES, term.redact))
      throw unknownItem('redaction policy', term.redact, Object.keys(REDACTION_POLICIES), here('redact'))
    return redactPath(inner(term.of, ['of']), term.redact)
  }
  if ('audited' in term) return auditedPath(inner(term.of, ['of']), term.audited, term.by)
  return cachedPath(inner(term.of, ['of']), term.cached, printPathway(term.of))
}

/** What a strategy builds; what it refuses is told with the place of the strategy. */
function builtBy(
  strategy: Strategy,
  of: readonly Term[],
  args: Arguments,
  path: readonly Segment[],
): ReturnType<Strategy['build']> {
  try {
    return strategy.build(of, args)
  } catch (cause) {
    if (!isModelNetError(cause) || cause.code !== 'INVALID_PATHWAY') throw cause
    const { argument } = cause.details
    throw defect(cause.message, typeof argument === 'string' ? [...path, 'with', argument] : path, cause.details)
  }
}

/** Ranks of one reference at once, and the answer whose maker was surest. */
const surestOf = (call: string, ranks: number): Term => ({
  seq: [
    { par: Array.from({ length: ranks }, (_, rank) => ({ call, rank, ranks, confidence: true })) },
    { pick: 'surest' },
  ],
})
