import { setMaxListeners } from 'node:events'
import { startDeadline } from '../../../utils/deadline.ts'
import { partOf } from '../context.ts'
import type { Path } from '../path.ts'
import type { Limits } from '../term.ts'

/** Limits of its own for a part; what it spends is spent from the whole budget too. */
export function withinPath(inner: Path, limits: Limits): Path {
  return {
    kind: 'within',
    bound(given) {
      const bound = inner.bound(given)
      return {
        ...bound,
        calls: Math.min(bound.calls, limits.calls ?? Infinity),
        depth: Math.min(bound.depth, limits.calls ?? Infinity),
        tokens: Math.min(bound.tokens, limits.tokens ?? Infinity),
      }
    },
    async *run(board, context) {
      const { deadlineMs } = limits
      const deadline = startDeadline(context.clock, {
        signal: context.signal,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      })
      setMaxListeners(0, deadline.signal) // every branch of the part listens
      try {
        return yield* inner.run(
          board,
          partOf(context, 'within', { signal: deadline.signal, ledger: context.ledger.child(limits) }),
        )
      } finally {
        deadline.dispose()
      }
    },
  }
}
