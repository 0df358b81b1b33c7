import { ModelNetError } from '../../utils/errors.ts'
import { COUNT } from '../pathway/parameters.ts'
import type { Role, Term } from '../pathway/term.ts'
import type { Strategy } from '../pathway/vocabulary.ts'
import { decodersOf, membersOf } from './members.ts'

/** Serial inference with role prompts (serial/parallel paper 7.2): answer, review, verify; the strongest first. */
export const serial: Strategy = {
  name: 'serial',
  description: 'a chain: the first answers, the next reviews, the last verifies; each sees question and answer so far',
  needs: ['generate'],
  example: 'serial(a, b, c)',
  parameters: { n: COUNT },
  build: (of, args) => chain(membersOf(of, args, 3)),
}

/** S2P: all but the last two in series, then the last two write one text with the result before them. */
export const s2p: Strategy = {
  name: 's2p',
  description:
    'serial then parallel: one answers, the others write the final text jointly with that answer before them',
  needs: ['generate', 'tokens'],
  example: 's2p(a, b, c)',
  parameters: { n: COUNT },
  build(of, args) {
    const [first, ...others] = membersOf(of, args, 3)
    return { seq: [first ?? { call: '*' }, joint(others.length > 0 ? others : [{ call: '*' }])] }
  },
}

/** P2S: all but the last write one text, the last verifies it. */
export const p2s: Strategy = {
  name: 'p2s',
  description: 'parallel then serial: several write one text jointly, one verifies it',
  needs: ['generate', 'tokens'],
  example: 'p2s(a, b, c)',
  parameters: { n: COUNT },
  build(of, args) {
    const members = membersOf(of, args, 3)
    const last = members.at(-1) ?? { call: '*' }
    const others = members.slice(0, -1)
    return {
      seq: [joint(others.length > 0 ? others : [{ call: '*' }]), 'call' in last ? { role: 'verify', ...last } : last],
    }
  },
}

/** Solver, critic, sceptic, writer. */
const MAX_ROLES = 4

/** A role graph: one solves, others criticize and doubt at the same time, one writes the answer from all of it. */
export const roles: Strategy = {
  name: 'roles',
  description: 'solver, critic and sceptic, and one who writes the answer from what they said',
  needs: ['generate'],
  example: 'roles(a, b, c)',
  parameters: { n: { kind: 'count', min: 1, max: MAX_ROLES } },
  build(of, args) {
    const members = membersOf(of, args, 3)
    if (members.length > MAX_ROLES)
      throw new ModelNetError('INVALID_PATHWAY', `roles(…) has ${MAX_ROLES} roles, not ${members.length}`)
    const at = (index: number): Term => members[index % members.length] ?? { call: '*' }
    const as = (term: Term, role: 'criticize' | 'doubt' | 'synthesize'): Term =>
      'call' in term ? { ...term, role } : term
    return {
      seq: [
        at(0),
        { par: [{ pick: 'first' }, as(at(1), 'criticize'), as(at(2), 'doubt')] },
        as(members.length > 3 ? at(3) : at(0), 'synthesize'),
      ],
    }
  },
}

const joint = (members: readonly Term[]): Term => {
  const [first, ...others] = decodersOf(members)
  return { decode: others.length === 0 && first ? first : { fuse: decodersOf(members) } }
}

const chain = (members: readonly Term[]): Term => ({
  seq: members.map((member, index) => {
    const role: Role = index === 0 ? 'answer' : index === members.length - 1 && index > 1 ? 'verify' : 'revise'
    return 'call' in member ? { role, ...member } : member
  }),
})
