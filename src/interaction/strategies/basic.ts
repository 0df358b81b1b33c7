import { FUSION_PARAMETERS } from '../pathway/decoder-plan.ts'
import { COUNT, type Parameters, TEMPERATURE } from '../pathway/parameters.ts'
import type { Arguments, Term } from '../pathway/term.ts'
import type { Strategy } from '../pathway/vocabulary.ts'
import { KEYED } from '../rules/ballots.ts'
import { decodersOf, membersOf, nameOf, oneOf, rest, samplesOf } from './members.ts'

export const single: Strategy = {
  name: 'single',
  description: 'one model, the best for the task; others take over if it fails',
  needs: ['generate'],
  example: 'single(@arithmetic)',
  build: of => oneOf(of, 'single'),
}

export const vote: Strategy = {
  name: 'vote',
  description: 'several models answer, the most frequent answer wins; stops when it is decided',
  needs: ['generate'],
  example: 'vote(@arithmetic, n=3)',
  parameters: { n: COUNT, ...KEYED },
  build: (of, args) => election(membersOf(of, args, 3), 'vote', rest(args, 'n')),
}

export const weighted: Strategy = {
  name: 'weighted',
  description: 'a vote weighed by the log-odds of what is known of each model',
  needs: ['generate'],
  example: 'weighted(@arithmetic, n=5)',
  parameters: { n: COUNT, ...KEYED },
  build: (of, args) => election(membersOf(of, args, 5), 'weighted', rest(args, 'n')),
}

export const consistency: Strategy = {
  name: 'consistency',
  description: 'self-consistency: samples of one model, the most frequent answer wins',
  needs: ['generate'],
  example: 'consistency(@arithmetic, n=5)',
  parameters: { n: COUNT, temperature: TEMPERATURE, ...KEYED },
  build: (of, args) => election(samplesOf(of, args, 5), 'vote', rest(args, 'n', 'temperature')),
}

export const joint: Strategy = {
  name: 'joint',
  description: 'several models write one text, their next-token distributions fused (parallel inference)',
  needs: ['tokens'],
  example: 'joint(@arithmetic, n=2, by=mean)',
  parameters: {
    n: COUNT,
    by: { kind: 'choice', of: Object.keys(FUSION_PARAMETERS) },
    ...(Object.assign({}, ...Object.values(FUSION_PARAMETERS)) as Parameters), // the way of fusing refuses what is not its own
  },
  build(of, args) {
    const members = membersOf(of, args, 2)
    const by = nameOf(args, 'by', 'mean')
    return { decode: { fuse: decodersOf(members), ...(by === 'mean' ? {} : { rule: by }), ...rest(args, 'n', 'by') } }
  },
}

/** Specialists are sure in their own field: of several that could, the one whose own tokens were most probable. */
export const surest: Strategy = {
  name: 'surest',
  description: 'several models answer, the answer whose maker was surest of its own words is taken',
  needs: ['generate', 'logprobs'],
  example: 'surest(@arithmetic, n=2)',
  parameters: { n: COUNT },
  build: (of, args) =>
    election(
      membersOf(of, args, 2).map(member => ('call' in member ? { ...member, confidence: true } : member)),
      'surest',
      rest(args, 'n'),
    ),
}

/** Members at once, then a rule that picks; a majority vote stops as soon as it is decided. */
const election = (members: readonly Term[], rule: string, options: { readonly with?: Arguments }): Term => ({
  seq: [
    rule === 'vote' && !options.with ? { par: members, decide: rule } : { par: members },
    { pick: rule, ...options },
  ],
})
