import { ModelNetError } from '../../utils/errors.ts'
import { COUNT, MAX_MEMBERS, NAME, SHARE } from '../pathway/parameters.ts'
import type { Arguments, Term } from '../pathway/term.ts'
import type { Strategy } from '../pathway/vocabulary.ts'
import { KEYED } from '../rules/ballots.ts'
import { countOf, membersOf, nameOf, rest, twoOf } from './members.ts'

/** Names of the thresholds of a staircase, from the first stair. */
const STAIRS = Array.from({ length: MAX_MEMBERS - 1 }, (_, index) => `at${index + 1}`)

/** The agreement cascade, the best lever on cost that needs nothing but text (collaboration-methods C6). */
export const cascade: Strategy = {
  name: 'cascade',
  description: 'agreement cascade: if all but the last model agree their answer stands, else the last is asked',
  needs: ['generate'],
  example: 'cascade(small-a, small-b, large)',
  parameters: { n: COUNT, share: SHARE, ...KEYED },
  build(of, args) {
    const given = membersOf(of, args, 3)
    if (given.length < 3)
      throw new ModelNetError('INVALID_PATHWAY', 'cascade(…) takes at least three models, the strongest last')
    // chosen by rank the best comes first: it is the one to ask last
    const ranked = given.every(member => 'call' in member && member.rank !== undefined)
    const [strong, cheap] = ranked ? [given[0], given.slice(1)] : [given.at(-1), given.slice(0, -1)]
    return { gate: { par: cheap }, else: strong ?? { call: '*' }, accept: 'agree', ...rest(args, 'n') }
  },
}

/** FrugalGPT's chain: each model's answer stands if it is sure enough; thresholds are learned by `learnThresholds`. */
export const staircase: Strategy = {
  name: 'staircase',
  description: 'models from cheap to dear; an answer stands where its maker is at least `at1`, `at2`, … sure',
  needs: ['generate', 'logprobs'],
  example: 'staircase(small, medium, large, at1=0.9, at2=0.8)',
  parameters: { n: COUNT, at: SHARE, ...Object.fromEntries(STAIRS.map(stair => [stair, SHARE])) },
  build(of, args) {
    const members = membersOf(of, args, 3).map(withConfidence)
    const beyond = STAIRS.slice(Math.max(0, members.length - 1)).find(stair => args[stair] !== undefined)
    if (beyond !== undefined)
      throw new ModelNetError(
        'INVALID_PATHWAY',
        `${beyond} has no stair: of ${members.length} members the last always answers`,
      )
    return members.reduceRight<Term | undefined>(
      (above, member, index) =>
        above ? { gate: member, else: above, accept: 'confident', with: { at: threshold(args, index) } } : member,
      undefined,
    ) as Term // there is at least one member
  },
}

/** The guaranteed gate (C7): `at` is what `guaranteedThreshold` gave for the first model's own calibration answers. */
export const guaranteed: Strategy = {
  name: 'guaranteed',
  description:
    'the first answers if it is at least `at` sure, a threshold with a proven bound on errors; else the second',
  needs: ['generate', 'logprobs'],
  example: 'guaranteed(small, large, at=0.97)',
  parameters: { at: SHARE },
  build(of, args) {
    const [first, second] = twoOf(of, 'guaranteed')
    const { at } = args
    if (typeof at !== 'number')
      throw new ModelNetError('INVALID_PATHWAY', 'guaranteed(…) takes two models and at=<threshold from calibration>')
    return { gate: withConfidence(first), else: second, accept: 'confident', with: { at } }
  },
}

/** AutoMix in one line: other models verify, and a stronger model answers what they do not approve. */
export const verified: Strategy = {
  name: 'verified',
  description: 'the first answers, `judges` others must approve unanimously, else the second answers',
  needs: ['generate'],
  example: 'verified(small, large, judges=2)',
  parameters: { judges: COUNT, by: NAME },
  build(of, args) {
    const [first, second] = twoOf(of, 'verified')
    const options = { n: countOf(args, 'judges', 2), by: nameOf(args, 'by', '*') }
    return { gate: first, else: second, accept: 'approved', with: options }
  },
}

const withConfidence = (term: Term): Term => ('call' in term ? { ...term, confidence: true } : term)

const threshold = (args: Arguments, index: number): number => Number(args[`at${index + 1}`] ?? args['at'] ?? 0.8)
