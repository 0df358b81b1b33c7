import { defect, type Segment } from './place.ts'

/** Up to three of the names that are written most like one that does not exist. */
export function near(name: string, names: readonly string[]): readonly string[] {
  const plain = (text: string): string => text.toLowerCase().replace(/^@?(skill:)?/u, '')
  const wanted = plain(name)
  return (
    names
      .map(other => {
        const text = plain(other)
        const isPart = text.includes(wanted) || wanted.includes(text)
        const shorter = Math.min(text.length, wanted.length)
        return { other, distance: isPart && shorter > 1 ? 0.5 : editDistance(wanted, text) }
      })
      // with every letter changed it is another word, not a misspelt one
      .filter(({ distance }) => distance <= Math.max(2, wanted.length / 3) && distance < wanted.length)
      .sort((a, b) => a.distance - b.distance || a.other.localeCompare(b.other))
      .slice(0, 3)
      .map(({ other }) => other)
  )
}

/** Names listed in an error; more would hide the point of it. */
const MAX_LISTED = 12

/** What is said of an argument or field that `owner` does not have: what was probably meant, and all that it has. */
export function unknownName(owner: string, kind: string, name: string, known: readonly string[]): string {
  const similar = near(name, known)
  const listed = known.length > MAX_LISTED ? [...known.slice(0, MAX_LISTED), '…'] : known
  const hint = similar.length > 0 ? `; did you mean ${similar.join(' or ')}?` : ''
  const takes = known.length === 0 ? `it takes no ${kind}s` : `it takes ${listed.join(', ')}`
  return `${owner} has no ${kind} ${name.slice(0, 40)}${hint === '' ? ';' : hint} ${takes}`
}

/** INVALID_PATHWAY for a rule, condition, strategy or policy that there is not. */
export function unknownItem(kind: string, name: string, known: readonly string[], path: readonly Segment[]): Error {
  const similar = near(name, known)
  const hint = similar.length > 0 ? `did you mean ${similar.join(' or ')}?` : `there are ${known.join(', ')}`
  return defect(`no ${kind} is named ${name}; ${hint}`, path, { near: similar })
}

/** Letters put in, left out, exchanged, or written in the wrong order. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwapped ? (before[j - 2] ?? 0) + 1 : Infinity
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
