import { selfConsistency } from '../baselines.ts'
import type { System } from '../system.ts'
import { type FusionRecipe, fusionSystem, type PaperBench, pathwaySystem } from './bench.ts'
import { combinations, parallel, reference } from './terms.ts'

/** The methods of tables 5 and 7, shift-invariant DuetNet, and `joint`, the product's own `a + b`: exact bytes, weighed by competence. */
export const METHODS: readonly Method[] = ['gac', 'unite', 'dp', 'dk', 'duet-raw', 'duet', 'joint']
export type Method = FusionRecipe['method'] | 'joint'

/** T, K and P of figures 6, 12 and 13, and the offset of raw logits; the others stay at T = 1, K = 10, P = 0.75. */
export const SWEEPS: Readonly<Record<SweptParameter, readonly number[]>> = {
  topT: [1, 2, 3, 20],
  topK: [1, 2, 4, 6, 8, 10],
  topP: [0.1, 0.3, 0.5, 0.65, 0.75, 0.85, 0.9, 1],
  offset: [0, 3, 10, 25],
}
export type SweptParameter = 'topT' | 'topK' | 'topP' | 'offset'

export const nameOf = (members: readonly string[], method: Method): string => `${members.join(' & ')} ${method}`
export const sweepName = (members: readonly string[], parameter: SweptParameter, value: number): string =>
  `${members.join(' & ')} ${parameter}=${value}`
export const consistencyName = (member: string): string => `self-consistency(${member}, n=3)`

/** Table 3: every member alone. */
export const singleSystems = (bench: PaperBench, members: readonly string[]): readonly System[] =>
  members.map(member => pathwaySystem(bench, member, reference(member)))

/** Tables 4, 5 and 7: every pair, triple and the four, by every method. */
export const fusionSystems = (bench: PaperBench, members: readonly string[]): readonly System[] =>
  [2, 3, 4].flatMap(size =>
    combinations(members, size).flatMap(group => METHODS.map(method => fused(bench, group, method))),
  )

const fused = (bench: PaperBench, group: readonly string[], method: Method): System =>
  method === 'joint'
    ? pathwaySystem(bench, nameOf(group, method), parallel(group))
    : fusionSystem(bench, nameOf(group, method), group, { method })

/** Table 6: one member, three paths, each step drawn from the best two tokens. */
export const consistencySystems = (bench: PaperBench, members: readonly string[]): readonly System[] =>
  members.map(member =>
    selfConsistency(
      {
        name: member,
        answer: (question, options) => bench.ask(reference(member), question, options),
        sample: (question, options) =>
          bench.fuse([member], { method: 'mean', topT: 2 }, question, { ...options, temperature: 1 }),
      },
      { samples: 3 },
    ),
  )

/** Figures 6, 12 and 13 on one group, with DuetNet as published and without its defect. */
export const sweepSystems = (bench: PaperBench, group: readonly string[]): readonly System[] =>
  (['topT', 'topK', 'topP', 'offset'] as const).flatMap(parameter =>
    SWEEPS[parameter].flatMap(value =>
      (['duet-raw', 'duet'] as const).map(method =>
        fusionSystem(bench, `${sweepName(group, parameter, value)} ${method}`, group, { method, [parameter]: value }),
      ),
    ),
  )
