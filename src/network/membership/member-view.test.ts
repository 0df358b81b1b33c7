import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare, fingerprint, isNewer, type SignedMember, toSummary } from './member-view.ts'

const member = (node: string, seq: number, jws = `${node}.${seq}`): SignedMember => ({
  record: { version: 1, node, seq, issuedAt: 1, expiresAt: 2, protocols: ['/modelnet/channel/1'] },
  jws,
})
const view = (members: readonly SignedMember[]): Map<string, SignedMember> => {
  const found = new Map<string, SignedMember>()
  for (const each of members) {
    const known = found.get(each.record.node)
    if (!known || isNewer(each, known)) found.set(each.record.node, each)
  }
  return found
}
const members = fc.array(
  fc
    .tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 4 }), fc.constantFrom('x', 'y'))
    .map(([node, seq, jws]) => member(node, seq, jws)),
  { maxLength: 12 },
)

describe('a view of members', () => {
  it('is the same whatever the order in which records come, and however often', () => {
    fc.assert(
      fc.property(members, fc.func(fc.integer()), (records, order) => {
        const shuffled = [...records, ...records].toSorted((a, b) => order(a) - order(b))
        const [one, two] = [view(records), view(shuffled)]
        expect(new Map([...two].toSorted())).toEqual(new Map([...one].toSorted()))
        expect(fingerprint(two.values())).toBe(fingerprint(one.values()))
      }),
    )
  })

  it('is the same on both sides after one comparison, where no two records of a node have one number', () => {
    fc.assert(
      fc.property(members, members, (ours, theirs) => {
        const unique = (records: readonly SignedMember[]) =>
          view(records.map(({ record }) => member(record.node, record.seq)))
        const [left, right] = [unique(ours), unique(theirs)]
        const { send, want } = compare(left, toSummary(right.values()))
        const wanted = want.flatMap(node => right.get(node) ?? [])
        const newRight = view([...right.values(), ...send])
        const newLeft = view([...left.values(), ...wanted])
        expect(fingerprint(newLeft.values())).toBe(fingerprint(newRight.values()))
        expect(newLeft.size).toBe(newRight.size)
      }),
    )
  })

  it('asks for nothing when it knows as much', () => {
    const known = view([member('a', 1), member('b', 2)])
    expect(compare(known, toSummary(known.values()))).toEqual({ send: [], want: [] })
  })

  it('tells views of different records apart', () => {
    expect(fingerprint([member('a', 1)])).not.toBe(fingerprint([member('a', 2)]))
    expect(fingerprint([member('a', 1)])).not.toBe(fingerprint([member('a', 1), member('b', 1)]))
  })
})
