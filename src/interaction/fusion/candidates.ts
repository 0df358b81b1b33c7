import type { Candidate, TokenDistribution } from '../../protocol/index.ts'
import { softmax } from './rule.ts'

/** Candidates are told apart by their bytes, never by an id ("semantic level"); the end of the text is the empty string. */
const END_KEY = ''

const keyOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** The best `count` of a member's candidates, the end among them, best first; equal ones in the order of their bytes. */
export function rankedCandidates({ candidates, end }: TokenDistribution, count: number): readonly [string, number][] {
  const entries = candidates.map(({ bytes, logprob }): [string, number] => [keyOf(bytes), logprob])
  if (end > Number.NEGATIVE_INFINITY) entries.push([END_KEY, end])
  return entries.sort(byScore).slice(0, count)
}

/** A distribution over the union from its scores in nats (any offset), best first. */
export function fromScores(scores: ReadonlyMap<string, number>): TokenDistribution {
  const entries = [...scores].sort(byScore)
  const weights = softmax(Float64Array.from(entries, ([, score]) => score))
  const normal = Math.log(weights.reduce((sum, weight) => sum + weight, 0))
  return fromLogs(entries.map(([key], index) => [key, Math.log(weights[index] ?? 0) - normal]))
}

/** A distribution from probabilities that sum to at most 1; what is missing stays as residual. */
export function fromProbabilities(probabilities: ReadonlyMap<string, number>): TokenDistribution {
  return fromLogs([...probabilities].sort(byScore).map(([key, probability]) => [key, Math.log(probability)]))
}

function fromLogs(entries: readonly [string, number][]): TokenDistribution {
  const candidates: Candidate[] = []
  let end = Number.NEGATIVE_INFINITY
  let mass = 0
  for (const [key, logprob] of entries) {
    mass += Math.exp(logprob)
    if (key === END_KEY) end = logprob
    else candidates.push({ bytes: Uint8Array.from(Buffer.from(key, 'latin1')), logprob })
  }
  return { kind: 'tokens', candidates, end, residual: Math.min(1, Math.max(0, 1 - mass)) }
}

const byScore = ([a, x]: [string, number], [b, y]: [string, number]): number => y - x || (a < b ? -1 : a > b ? 1 : 0)

/** Collects one value per member for each key of the union, then reduces it. */
export function perKey(
  members: readonly ReadonlyMap<string, number>[],
  reduce: (values: Float64Array, key: string) => number,
  absent: (member: number, key: string) => number,
): Map<string, number> {
  const keys = new Set<string>()
  for (const member of members) for (const key of member.keys()) keys.add(key)
  const out = new Map<string, number>()
  for (const key of keys)
    out.set(
      key,
      reduce(
        Float64Array.from(members, (member, index) => member.get(key) ?? absent(index, key)),
        key,
      ),
    )
  return out
}
