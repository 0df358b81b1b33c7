import { COUNT, NAME, SHARE } from '../pathway/parameters.ts'
import type { Strategy } from '../pathway/vocabulary.ts'
import { KEYED } from '../rules/ballots.ts'
import { nameOf, oneOf, rest } from './members.ts'

/** Selective answering (collaboration-methods B12): an answer that does not hold is not given. */
export const abstain: Strategy = {
  name: 'abstain',
  description:
    'answers only if other models find the answer holds (how=cooperate or compete), else says it does not know',
  needs: ['generate'],
  example: 'abstain(a, how=compete)',
  parameters: { how: { kind: 'choice', of: ['cooperate', 'compete'] }, n: COUNT, by: NAME, ...KEYED },
  build: (of, args) => ({
    gate: oneOf(of, 'abstain'),
    else: { pick: 'unknown' },
    accept: nameOf(args, 'how', 'cooperate'),
    ...rest(args, 'how'),
  }),
}

/** An answer from given documents, checked sentence by sentence (B13), revised once, else not given. */
export const grounded: Strategy = {
  name: 'grounded',
  description:
    'each sentence of the answer must follow from the documents in the question; revised once, else not given',
  needs: ['generate'],
  example: 'grounded(a, by=b)',
  parameters: { by: NAME, share: SHARE },
  build(of, args) {
    const answer = oneOf(of, 'grounded')
    const revise = 'call' in answer ? { ...answer, role: 'revise' as const } : { call: '*', role: 'revise' as const }
    return {
      gate: answer,
      else: { gate: revise, else: { pick: 'unknown' }, accept: 'grounded', ...rest(args) },
      accept: 'grounded',
      with: { ...args, keep: true },
    }
  },
}
