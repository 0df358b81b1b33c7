import { hash32 } from '../../src/utils/random.ts'

/** One-way milliseconds between five regions, of the order of public cloud regions on five continents. */
const REGIONS = [
  [1, 40, 45, 75, 100],
  [40, 1, 90, 110, 70],
  [45, 90, 1, 110, 150],
  [75, 110, 110, 1, 60],
  [100, 70, 150, 60, 1],
] as const

const regionOf = (nodeId: string): number => hash32(nodeId, 7) % REGIONS.length
/** From a node to the backbone: 1 to 12 ms. */
const lastMileMs = (nodeId: string): number => 1 + (hash32(nodeId, 11) % 12)

/** Milliseconds one way; fixed for a pair of nodes. Every node has a place that follows from its id. */
export const latencyMs = (from: string, to: string): number =>
  from === to ? 0 : (REGIONS[regionOf(from)]?.[regionOf(to)] ?? 0) + lastMileMs(from) + lastMileMs(to)
