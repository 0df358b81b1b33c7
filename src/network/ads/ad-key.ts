import { createHash } from 'node:crypto'
import { hash32 } from '../../utils/random.ts'

/**
 * Where ads of a capability are held. A capability of few offers has one shard, of level 0. When its holders are full
 * they say so, and providers go on to level 1 with two shards, level 2 with four, and so on: each to the shard that its
 * node id falls into. So a capability of a million offers loads no holder more than one of five hundred.
 */
export interface Shard {
  readonly level: number
  readonly index: number
}

/** 2^12 shards of 500 ads: 4 million offers of one capability with those of the levels above. */
export const MAX_LEVEL = 12

export const shardOf = (nodeId: string, level: number): Shard => ({
  level,
  index: level === 0 ? 0 : hash32(nodeId) >>> (32 - level),
})

/** The key of a shard. The capability must be canonical: only equal names meet. */
export const toAdKey = (capability: string, shard: Shard): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`modelnet/cap/1|${capability}|${shard.level}|${shard.index}`).digest())

/** The shards that offers of this one would be in if these had room, the root first. */
export const aboveOf = ({ level, index }: Shard): readonly Shard[] =>
  Array.from({ length: level }, (_, above) => ({ level: above, index: index >>> (level - above) }))

/** The two shards where offers go on to that find this one full. */
export const belowOf = ({ level, index }: Shard): readonly Shard[] => [
  { level: level + 1, index: 2 * index },
  { level: level + 1, index: 2 * index + 1 },
]
