import type { Analysis, Matcher } from '../service/index.ts'
import type { ModelNetError } from '../utils/errors.ts'
import { referencesOf } from './pathway/decoder-plan.ts'
import type { Board } from './pathway/path.ts'
import { resolve, toReference } from './pathway/resolve.ts'
import type { Term } from './pathway/term.ts'
import type { Vocabulary } from './pathway/vocabulary.ts'

/**
 * Why a pathway cannot run as it was written: the error of the first name that nobody answers to and that it cannot do
 * without. Branches that others can stand in for (par, orElse, fuse) may be away; nothing else may. A name that no node
 * ever offered is an error wherever it stands.
 */
export function missingIn(
  term: Term,
  task: Board['task'],
  analysis: Analysis,
  matcher: Matcher,
  vocabulary: Vocabulary,
): ModelNetError | undefined {
  const board: Board = { task, analysis, answers: [], notes: {} }
  let unknown: ModelNetError | undefined
  const one = (reference: string): ModelNetError | undefined => {
    try {
      resolve({ reference }, board, matcher)
      return undefined
    } catch (cause) {
      const error = cause as ModelNetError // all that resolve throws
      if (matcher.knows?.(toReference(reference)) === false) unknown ??= error
      return error
    }
  }
  const all = (terms: readonly Term[]): ModelNetError | undefined => terms.map(check).find(error => error !== undefined)
  const some = (errors: readonly (ModelNetError | undefined)[]): ModelNetError | undefined =>
    errors.every(error => error !== undefined) ? errors[0] : undefined
  const check = (part: Term): ModelNetError | undefined => {
    if ('call' in part) return one(part.call)
    if ('seq' in part) return all(part.seq)
    if ('par' in part) return some(part.par.map(check))
    if ('orElse' in part) return some(part.orElse.map(check))
    if ('gate' in part) return all([part.gate, part.else])
    if ('loop' in part) return check(part.loop)
    if ('decode' in part) return some(referencesOf(part.decode).map(one))
    if ('strategy' in part) {
      const built = vocabulary.strategies.get(part.strategy)?.build(part.of ?? [], part.with ?? {})
      return built === undefined || 'run' in built ? all(part.of ?? []) : check(built)
    }
    // A planner and the arms of a route are looked for when they are needed: there is another way without them.
    if ('pick' in part || 'route' in part || 'plan' in part) return undefined
    return check(part.of)
  }
  const missing = check(term)
  return unknown ?? missing
}
