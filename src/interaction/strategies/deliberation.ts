import { COUNT, NAME, type Parameters, TEMPERATURE } from '../pathway/parameters.ts'
import type { Arguments, Term } from '../pathway/term.ts'
import type { Strategy } from '../pathway/vocabulary.ts'
import { KEYED } from '../rules/ballots.ts'
import { countOf, membersOf, nameOf, rest, samplesOf } from './members.ts'

/** Debate only where there is something to debate, capped, and settled by a vote (collaboration-methods B8). */
export const debate: Strategy = {
  name: 'debate',
  description: 'models answer; while more than a third disagree they see each other and answer again; then a vote',
  needs: ['generate'],
  example: 'debate(a|b|c, rounds=2)',
  parameters: { n: COUNT, rounds: COUNT, ...KEYED },
  build(of, args) {
    const members = membersOf(of, args, 3)
    const again = members.map((member): Term => ('call' in member ? { ...member, role: 'debate' } : member))
    const rounds = countOf(args, 'rounds', 2)
    return {
      seq: [
        { par: members },
        { loop: { par: again }, until: 'consensus', max: rounds, ...rest(args, 'n', 'rounds') },
        { pick: 'vote', ...rest(args, 'n', 'rounds') },
      ],
    }
  },
}

/** Mixture of agents (B7): layers of proposers that see the answers of the layer before, then an aggregator. */
export const moa: Strategy = {
  name: 'moa',
  description: 'mixture of agents: layers of models improve on all answers of the layer before, one writes the result',
  needs: ['generate'],
  example: 'moa(a|b|c, layers=2, by=d)',
  parameters: { n: COUNT, layers: COUNT, by: NAME },
  build: (of, args) => layered(membersOf(of, args, 3), countOf(args, 'layers', 2), nameOf(args, 'by', '*')),
}

/** Self-MoA: the proposers are samples of the one best model, which beats mixing unequal ones (+6.6 points, B7). */
export const selfMoa: Strategy = {
  name: 'self-moa',
  description: 'mixture of agents with samples of one model, which writes the result itself',
  needs: ['generate'],
  example: 'self-moa(@arithmetic, n=4)',
  parameters: { n: COUNT, layers: COUNT, by: NAME, temperature: TEMPERATURE },
  build(of, args) {
    const samples = samplesOf(of, args, 4)
    const [first] = samples
    const own = first && 'call' in first ? first.call : '*'
    return layered(samples, countOf(args, 'layers', 1), nameOf(args, 'by', own))
  },
}

/** Rank, fuse the best, and keep the fusion only if it is better than the best (B6). */
export const rankFuse: Strategy = {
  name: 'rank-fuse',
  description:
    'a judge ranks the answers in pairs, the best three are fused into one, the better of best and fusion stays',
  needs: ['generate'],
  example: 'rank-fuse(a|b|c, by=d)',
  parameters: { n: COUNT, by: NAME },
  build(of, args) {
    const by = nameOf(args, 'by', '*')
    return {
      seq: [
        { par: membersOf(of, args, 3) },
        { pick: 'top', with: { n: 3, by } },
        { par: [{ pick: 'first' }, { call: by, role: 'synthesize' }] },
        { pick: 'rank', with: { by } },
      ],
    }
  },
}

/** Several answers, one chosen by a rule that asks judges; `options` are what the rule takes of the arguments. */
const judged = (
  name: string,
  rule: string,
  description: string,
  parameters: Parameters = {},
  options: (args: Arguments) => { readonly with?: Arguments } = args => rest(args, 'n'),
): Strategy => ({
  name,
  description,
  needs: ['generate'],
  example: `${name}(a|b|c, by=d)`,
  parameters: { n: COUNT, by: NAME, ...parameters },
  build: (of, args) => ({ seq: [{ par: membersOf(of, args, 3) }, { pick: rule, ...options(args) }] }),
})

export const rank: Strategy = judged(
  'rank',
  'rank',
  'a judge compares the answers in pairs and both orders, the best wins',
)
export const ranked: Strategy = judged(
  'ranked',
  'borda',
  'ranked vote: `judges` order all answers, points by place',
  { judges: COUNT },
  // `n` says how many answer, as everywhere; of the rule it is how many judge
  ({ judges, ...args }) =>
    rest({ ...args, ...(judges === undefined ? {} : { n: judges }) }, ...(judges === undefined ? ['n'] : [])),
)
export const usc: Strategy = judged(
  'usc',
  'usc',
  'universal self-consistency: a model picks the answer most others agree with',
  KEYED,
)

const layered = (proposers: readonly Term[], layers: number, by: string): Term => {
  const between = proposers.map((member): Term => ('call' in member ? { ...member, role: 'synthesize' } : member))
  return {
    seq: [
      { par: proposers },
      ...Array.from({ length: layers - 1 }, () => ({ par: between })),
      { call: by, role: 'synthesize' as const },
    ],
  }
}
