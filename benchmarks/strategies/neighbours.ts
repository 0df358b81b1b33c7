import { hash32 } from '../../src/utils/random.ts'

/** Ability of each model on questions like one: mean score over the most similar questions with known outcomes. */
export type LocalAbility = (query: string, skip?: (row: number) => boolean) => readonly number[]

const BUCKETS = 1 << 15
const NEIGHBOURS = 200
/** Similarity mass that the mean over all questions stands for. */
const PRIOR = 2

/** kNN over TF-IDF of words (collaboration-methods C1), with an inverted index. */
export function localAbilities(
  rows: readonly { readonly query: string; readonly scores: readonly number[] }[],
): LocalAbility {
  const counts = rows.map(({ query }) => countWords(query))
  const documents = new Float64Array(BUCKETS)
  for (const words of counts) for (const word of words.keys()) documents[word] = (documents[word] ?? 0) + 1
  const vectorOf = (words: ReadonlyMap<number, number>): readonly (readonly [number, number])[] => {
    const values = [...words].map(
      ([word, count]) =>
        [word, (1 + Math.log(count)) * Math.log((rows.length + 1) / ((documents[word] ?? 0) + 1))] as const,
    )
    const norm = Math.sqrt(values.reduce((sum, [, value]) => sum + value * value, 0)) || 1
    return values.map(([word, value]) => [word, value / norm])
  }
  const index = new Map<number, [number, number][]>()
  for (const [row, words] of counts.entries())
    for (const [word, value] of vectorOf(words)) {
      const list = index.get(word) ?? []
      index.set(word, list)
      list.push([row, value])
    }
  const models = rows[0]?.scores.length ?? 0
  const means = Array.from(
    { length: models },
    (_, model) => rows.reduce((sum, { scores }) => sum + (scores[model] ?? 0), 0) / rows.length,
  )
  return (query, skip = () => false) => {
    const similarity = new Float64Array(rows.length)
    for (const [word, value] of vectorOf(countWords(query)))
      for (const [row, other] of index.get(word) ?? []) similarity[row] = (similarity[row] ?? 0) + value * other
    const nearest = [...similarity.keys()]
      .filter(row => (similarity[row] ?? 0) > 0 && !skip(row))
      .sort((a, b) => (similarity[b] ?? 0) - (similarity[a] ?? 0))
      .slice(0, NEIGHBOURS)
    return means.map((mean, model) => {
      let weight = PRIOR
      let total = PRIOR * mean
      for (const row of nearest) {
        const near = similarity[row] ?? 0
        weight += near
        total += near * (rows[row]?.scores[model] ?? 0)
      }
      return total / weight
    })
  }
}

function countWords(text: string): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const [word] of text.toLowerCase().matchAll(/\p{L}{3,}/gu)) {
    const bucket = hash32(word) % BUCKETS
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  return counts
}
