import { NAME } from '../pathway/parameters.ts'
import type { Strategy } from '../pathway/vocabulary.ts'
import { nameOf, oneOf } from './members.ts'

/** Decomposition of a composite question by a planner model. */
export const planned: Strategy = {
  name: 'planned',
  description: 'a planner splits a composite question into a graph of subtasks for the models that have the skills',
  needs: ['generate'],
  example: 'planned(by=@planning)',
  parameters: { by: NAME, writer: NAME },
  build: (of, args) => ({
    plan: nameOf(args, 'by', '@planning'),
    else: oneOf(of, 'planned'),
    ...(args['writer'] === undefined ? {} : { join: nameOf(args, 'writer', '*') }),
  }),
}
