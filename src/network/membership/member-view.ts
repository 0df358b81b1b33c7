import type { MemberRecord } from '../../protocol/index.ts'
import { hash32 } from '../../utils/random.ts'

/** A member record with the signed form that is passed on, so that whoever gets it can check it again. */
export interface SignedMember {
  readonly record: MemberRecord
  readonly jws: string
}

/** Node and sequence number of each record known: what two nodes compare before they send anything. */
export type Summary = readonly (readonly [node: string, seq: number])[]

/**
 * A total order, so that all nodes keep the same record whatever the order they hear of them in. Two records of one
 * sequence number mean a cloned key or a liar; which one wins does not matter, that all agree does.
 */
export const isNewer = (a: SignedMember, b: SignedMember): boolean =>
  a.record.seq > b.record.seq || (a.record.seq === b.record.seq && a.jws > b.jws)

export const toSummary = (members: Iterable<SignedMember>): Summary =>
  [...members].map(({ record }) => [record.node, record.seq] as const)

/** A small digest of a view: equal for equal views, whatever their order. A hint of when to compare, not a proof. */
export const fingerprint = (members: Iterable<SignedMember>): number =>
  [...members].reduce((sum, { record }) => (sum ^ hash32(`${record.node} ${record.seq}`)) >>> 0, 0)

/** What each side lacks: the records the other should get, and the nodes whose records we want from it. */
export function compare(
  members: ReadonlyMap<string, SignedMember>,
  theirs: Summary,
): { readonly send: readonly SignedMember[]; readonly want: readonly string[] } {
  const seqs = new Map(theirs)
  const send = [...members.values()].filter(({ record }) => (seqs.get(record.node) ?? -1) < record.seq)
  const want = [...seqs].filter(([node, seq]) => (members.get(node)?.record.seq ?? -1) < seq).map(([node]) => node)
  return { send, want }
}
