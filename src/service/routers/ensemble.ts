import type { Router } from '../router.ts'

export interface EnsembleMember {
  readonly router: Router
  /** Not negative; weights are renormalised. */
  readonly weight: number
}

/** Weighted mean of the estimates of several routers. Members of weight 0 are left out. */
export function createEnsembleRouter(members: readonly EnsembleMember[]): Router {
  const used = members.filter(({ weight }) => weight > 0)
  const total = used.reduce((sum, { weight }) => sum + weight, 0)
  const first = used[0]
  if (!first || used.some(({ router }) => router.arms !== first.router.arms))
    throw new RangeError('expected members of positive weight over the same arms')
  return {
    kind: 'ensemble',
    arms: first.router.arms,
    save: () => used.map(({ router, weight }) => ({ kind: router.kind, weight, state: router.save() })),
    estimate(question, subset) {
      const result = new Float64Array(subset?.length ?? first.router.arms)
      for (const { router, weight } of used) {
        const part = router.estimate(question, subset)
        for (let at = 0; at < result.length; at++) result[at] = (result[at] ?? 0) + (weight / total) * (part[at] ?? 0)
      }
      return result
    },
  }
}
