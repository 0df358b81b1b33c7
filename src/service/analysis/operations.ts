/** A tag that says more exactly what another tag says: whoever has the exact one is meant first. */
export const FINER_TAGS: Readonly<Record<string, string>> = {
  'skill:addition': 'skill:arithmetic',
  'skill:multiplication': 'skill:arithmetic',
}

interface TagProbability {
  readonly tag: string
  readonly probability: number
}

/** Signs between operands, and the words that stand for them. */
const MULTIPLICATION =
  /\d\s*[*×·÷/]\s*\d|\d\s*x\s*\d|\b(?:times|product|multipl\w*|divi\w*|quotient|remainder|modulo|mod|split|shared?|each)\b|[乘除]/iu

/**
 * Adds the operation to tags that say arithmetic: models divide that field between them, and those that add are
 * rarely those that multiply. Other tags are left as they are.
 */
export function refineTags(tags: readonly TagProbability[], text: string): readonly TagProbability[] {
  const arithmetic = tags.findIndex(({ tag }) => tag === 'skill:arithmetic')
  const found = tags[arithmetic]
  if (!found || tags.some(({ tag }) => FINER_TAGS[tag] !== undefined)) return tags
  const tag = MULTIPLICATION.test(text) ? 'skill:multiplication' : 'skill:addition'
  return tags.toSpliced(arithmetic + 1, 0, { tag, probability: found.probability })
}
