import type { Candidate, Matcher, ModelReference } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Board } from './path.ts'

/** Reads a reference as it stands in a term: `*`, `@tag`, `model`, `model@node`. */
export function toReference(text: string): ModelReference {
  if (text === '*') return { kind: 'any' }
  if (text.startsWith('@')) return { kind: 'tag', tag: text.slice(1) }
  const at = text.lastIndexOf('@')
  if (at <= 0) return { kind: 'model', id: text }
  return { kind: 'model', id: text.slice(0, at), node: text.slice(at + 1) }
}

export interface Wanted {
  readonly reference: string
  /** The rank-th distinct model; absent means the best, with all others behind it. */
  readonly rank?: number
  /** Ranks that siblings take; spares come after them. @default rank + 1 */
  readonly ranks?: number
  /** `model@node` that are asked only if nobody else is there: a judge is not to judge itself. */
  readonly avoid?: readonly string[]
}

/**
 * Who can serve a reference now: the first is asked, the others take over in order. With a rank, the nodes of the
 * rank-th distinct model come first, then models that no sibling asked for: two votes of one model are one vote.
 * Throws NO_CANDIDATE or MODEL_NOT_FOUND.
 */
export function resolve(wanted: Wanted, board: Board, matcher: Matcher): readonly Candidate[] {
  const reference = toReference(wanted.reference)
  const candidates = matcher.candidates(reference, board.analysis.tags)
  if (candidates.length === 0) throw nobody(wanted.reference, reference, board.analysis.tags, matcher)
  const { avoid = [] } = wanted
  if (avoid.length > 0) {
    const avoided = new Set(avoid.map(modelOf))
    const isAvoided = ({ model }: Candidate): boolean => avoided.has(model.card.id)
    return [...candidates.filter(candidate => !isAvoided(candidate)), ...candidates.filter(isAvoided)]
  }
  if (wanted.rank === undefined) return candidates
  const ids = [...new Set(candidates.map(candidate => candidate.model.card.id))]
  const own = ids[wanted.rank]
  if (own === undefined)
    throw new ModelNetError(
      'NO_CANDIDATE',
      `${wanted.reference} names ${ids.length} distinct models now, not ${wanted.rank + 1}`,
    )
  const spares = ids.slice(Math.max(wanted.ranks ?? 0, wanted.rank + 1))
  const copies = (id: string): readonly Candidate[] => candidates.filter(({ model }) => model.card.id === id)
  return [own, ...spares].flatMap(copies)
}

/** The model id in `model@node`. */
export const modelOf = (name: string): string => (name.includes('@') ? name.slice(0, name.lastIndexOf('@')) : name)

/** Why nobody answers to a reference: NO_CANDIDATE, MODEL_NOT_FOUND, or UNSUPPORTED for a model that makes embeddings only. */
export function nobody(
  text: string,
  reference: ModelReference,
  tags: Board['analysis']['tags'],
  matcher: Matcher,
): ModelNetError {
  if (reference.kind === 'any') return new ModelNetError('NO_CANDIDATE', 'no node offers a model now')
  const live = matcher.candidates({ kind: 'any' }, tags)
  if (reference.kind === 'tag')
    return new ModelNetError('NO_CANDIDATE', `no live model has the tag ${reference.tag}`, {
      details: { near: near(text, [...new Set(live.flatMap(({ model }) => model.card.tags))]) },
    })
  if (matcher.candidates(reference, tags, 'embed').length > 0)
    return new ModelNetError('UNSUPPORTED', `model ${reference.id} makes embeddings and does not answer`)
  const similar = near(reference.id, [...new Set(live.map(({ model }) => model.card.id))])
  const hint = similar.length > 0 ? `; did you mean ${similar.join(' or ')}?` : ''
  const where = reference.node === undefined ? '' : ` at node ${reference.node}`
  return new ModelNetError('MODEL_NOT_FOUND', `no node offers a model named ${reference.id}${where}${hint}`, {
    details: { near: similar },
  })
}

/** Up to three of the names that are written most like one that does not exist. */
export function near(name: string, names: readonly string[]): readonly string[] {
  const plain = (text: string): string => text.toLowerCase().replace(/^@?(skill:)?/u, '')
  const wanted = plain(name)
  return names
    .map(other => {
      const text = plain(other)
      const contains = text.includes(wanted) || wanted.includes(text)
      return { other, distance: contains ? 0.5 : editDistance(wanted, text) }
    })
    .filter(({ distance }) => distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance || a.other.localeCompare(b.other))
    .slice(0, 3)
    .map(({ other }) => other)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
