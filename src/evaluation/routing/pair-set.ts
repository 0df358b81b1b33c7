import type { BenchDecisions, RoutingFigures, TrainedBench } from './bench-set.ts'
import { hasOutcomes } from './bench-set.ts'
import { bootstrapRows } from './bootstrap.ts'
import { pairMetrics } from './metrics.ts'

/** `routellm`: how much rather the strong model, as the expected gain of asking it. */
export function decidePairs({ test, textOf, router }: TrainedBench): BenchDecisions {
  const win = test.map(row => {
    const { quality } = router.estimate(textOf(row))
    return (quality[1] ?? 0) - (quality[0] ?? 0)
  })
  const decisions = test.map(({ id }, at) => ({ id, win: win[at] }))
  if (!hasOutcomes(test)) return { decisions, figures: [] }
  const figures: RoutingFigures[] = [...new Set(test.map(({ dataset }) => dataset))].map(dataset => {
    const rows = test.flatMap((row, at) => (row.dataset === dataset ? [at] : []))
    const scores = rows.map(at => [test[at]?.scores?.[0] ?? 0, test[at]?.scores?.[1] ?? 0] as const)
    const wins = rows.map(at => win[at] ?? 0)
    const { apgr, cpt50, cpt80 } = pairMetrics(wins, scores)
    const interval = bootstrapRows(
      rows.length,
      sample =>
        pairMetrics(
          [...sample].map(at => wins[at] ?? 0),
          [...sample].map(at => scores[at] ?? [0, 0]),
        ).apgr,
    )
    return { name: dataset, figures: { APGR: apgr, CPT50: cpt50, CPT80: cpt80 }, intervals: { APGR: interval } }
  })
  return { decisions, figures }
}
