import { ModelNetError } from '../../utils/errors.ts'
import { dynamicPath } from '../mutual/dynamic-path.ts'
import type { GraphStore } from '../mutual/graph-store.ts'
import { COUNT, SHARE } from '../pathway/parameters.ts'
import type { Strategy } from '../pathway/vocabulary.ts'
import { countOf, oneOf } from './members.ts'

/** Dynamic collaborative routing over a graph of who can improve whom, which it also feeds. */
export const dynamic = (store: GraphStore): Strategy => ({
  name: 'dynamic',
  description: 'those who can improve the answer judge it, one who objects rewrites it, until nobody objects',
  needs: ['generate'],
  example: 'dynamic(a, hops=3)',
  parameters: { hops: COUNT, explore: SHARE },
  build(of, args) {
    const start = oneOf(of, 'dynamic')
    if (!('call' in start)) throw new ModelNetError('INVALID_PATHWAY', 'dynamic(…) starts with one model')
    const { explore } = args
    return dynamicPath(
      { start: start.call, hops: countOf(args, 'hops', 3), ...(typeof explore === 'number' ? { explore } : {}) },
      store,
    )
  },
})
