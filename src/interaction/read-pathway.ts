import { ModelNetError } from '../utils/errors.ts'
import { compile } from './pathway/compile.ts'
import type { Path } from './pathway/path.ts'
import { inJson, type Locate, withPlaces } from './pathway/place.ts'
import { printPathway } from './pathway/print.ts'
import type { Term } from './pathway/term.ts'
import { parseTerm } from './pathway/term.ts'
import { readText } from './pathway/text.ts'
import type { Vocabulary } from './pathway/vocabulary.ts'

/** A pathway that was read and whose names exist. */
export interface ReadPathway {
  readonly term: Term
  readonly path: Path
  /** Text form. */
  readonly text: string
}

/**
 * Reads a pathway as a user gives it: a term, its JSON, or its text form; a bare name of a strategy means that strategy.
 * Throws INVALID_PATHWAY.
 */
export function readPathway(given: string | Term, vocabulary: Vocabulary): ReadPathway {
  const { term, locate } = read(given, vocabulary)
  return { term, path: withPlaces(locate, () => compile(term, vocabulary)), text: printPathway(term) }
}

function read(given: string | Term, vocabulary: Vocabulary): { readonly term: Term; readonly locate: Locate } {
  if (typeof given !== 'string') return { term: parseTerm(given), locate: inJson }
  const text = given.trim()
  if (text.startsWith('{')) {
    try {
      return { term: parseTerm(JSON.parse(text)), locate: inJson }
    } catch (cause) {
      if (cause instanceof ModelNetError) throw cause
      throw new ModelNetError('INVALID_PATHWAY', 'the pathway begins like JSON and is not valid JSON', { cause })
    }
  }
  const { term, locate } = readText(text)
  return 'call' in term && vocabulary.strategies.has(term.call)
    ? { term: { strategy: term.call }, locate }
    : { term, locate }
}
