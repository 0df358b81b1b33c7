import { ModelNetError } from '../../utils/errors.ts'
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
import { printPathway } from './print.ts'
import { near } from './resolve.ts'
import type { Term } from './term.ts'
import { MAX_TERM_DEPTH } from './term.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Where in a pathway a term stands: how deep, in how many rounds of loops, and what was built before it. */
interface Place {
  readonly depth: number
  readonly rounds: number
  readonly built: { terms: number }
}

/** Strategies repeat their members (16 layers of 16), and may be nested: a line of text must not build millions. */
const MAX_BUILT_TERMS = 4096

/** Two loops of the longest that is allowed (64), one within the other. */
const MAX_ROUNDS = 4096

/**
 * Turns a term into a path. Names of rules, conditions, strategies and fusion rules are looked up now, so a misspelt
 * pathway fails before anything runs; models are looked up when their call starts. Throws INVALID_PATHWAY.
 */
export function compile(
  term: Term,
  vocabulary: Vocabulary,
  place: Place = { depth: 0, rounds: 1, built: { terms: 0 } },
): Path {
  const { depth, rounds, built } = place
  if (depth > MAX_TERM_DEPTH)
    throw new ModelNetError('INVALID_PATHWAY', `a pathway is nested at most ${MAX_TERM_DEPTH} deep`)
  if (++built.terms > MAX_BUILT_TERMS)
    throw new ModelNetError(
      'INVALID_PATHWAY',
      `a pathway with its strategies written out has at most ${MAX_BUILT_TERMS} terms`,
    )
  const inner = (part: Term, max = 1): Path =>
    compile(part, vocabulary, { depth: depth + 1, rounds: rounds * max, built })
  const rule = (name: string): NonNullable<ReturnType<Vocabulary['rules']['get']>> =>
    named('rule', name, vocabulary.rules)
  const condition = (name: string): NonNullable<ReturnType<Vocabulary['conditions']['get']>> =>
    named('condition', name, vocabulary.conditions)
  if ('call' in term) return callPath(term)
  if ('seq' in term) return seqPath(term.seq.map(inner))
  if ('par' in term) {
    const { par, quorum, tolerate, decide } = term
    return parPath(par.map(inner), {
      ...(quorum === undefined ? {} : { quorum }),
      ...(tolerate === undefined ? {} : { tolerate }),
      ...(decide === undefined ? {} : { decide: rule(decide) }),
    })
  }
  if ('pick' in term) return pickPath(rule(term.pick), term.with)
  if ('gate' in term) return gatePath(inner(term.gate), inner(term.else), condition(term.accept ?? 'sure'), term.with)
  if ('route' in term)
    return routePath(
      Object.fromEntries(Object.entries(term.route).map(([tag, arm]) => [tag, inner(arm)])),
      term.else && inner(term.else),
    )
  if ('loop' in term) {
    if (rounds * term.max > MAX_ROUNDS)
      throw new ModelNetError('INVALID_PATHWAY', `loops within loops make at most ${MAX_ROUNDS} rounds together`)
    return loopPath(inner(term.loop, term.max), condition(term.until), term.max, term.with)
  }
  if ('orElse' in term) return orElsePath(term.orElse.map(inner))
  if ('plan' in term)
    return planPath(term.plan, inner(term.else ?? { call: '*' }), {
      ...(term.join === undefined ? {} : { join: term.join }),
      together: (reference, count) => compile(surestOf(reference, count), vocabulary),
    })
  if ('decode' in term) return decodePath(term.decode, term.maxTokens)
  if ('strategy' in term) {
    const strategy = named('strategy', term.strategy, vocabulary.strategies)
    const built = strategy.build(term.of ?? [], term.with ?? {})
    return 'run' in built ? built : inner(built)
  }
  if ('within' in term) return withinPath(inner(term.of), term.within)
  if ('redact' in term) return redactPath(inner(term.of), term.redact)
  if ('audited' in term) return auditedPath(inner(term.of), term.audited, term.by)
  return cachedPath(inner(term.of), term.cached, printPathway(term.of))
}

/** Ranks of one reference at once, and the answer whose maker was surest. */
const surestOf = (call: string, ranks: number): Term => ({
  seq: [
    { par: Array.from({ length: ranks }, (_, rank) => ({ call, rank, ranks, confidence: true })) },
    { pick: 'surest' },
  ],
})

function named<T>(kind: string, name: string, items: ReadonlyMap<string, T>): T {
  const item = items.get(name)
  if (item !== undefined) return item
  const similar = near(name, [...items.keys()])
  const hint =
    similar.length > 0 ? `; did you mean ${similar.join(' or ')}?` : `; there are ${[...items.keys()].join(', ')}`
  throw new ModelNetError('INVALID_PATHWAY', `no ${kind} is named ${name}${hint}`, { details: { near: similar } })
}
