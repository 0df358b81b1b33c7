import { join } from 'node:path'
import { shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import type { Question } from '../../src/evaluation/index.ts'
import { loadJsonl } from '../../src/evaluation/index.ts'
import { guaranteedThreshold, learnThresholds } from '../../src/interaction/index.ts'
import type { Family } from '../token-level/models.ts'
import type { Outcome } from './shipped-network.ts'

/** Questions of which one half chooses (members, thresholds) and only the other is reported. */
export interface QuestionSet {
  readonly name: string
  readonly chosenOn: readonly Question[]
  readonly reported: readonly Question[]
}

/** Additions, subtractions and short word problems: what three of the shipped models were all trained on in part. */
export const SHARED_MEMBERS: readonly string[] = ['arithmetic-a', 'arithmetic-b', 'generalist']
const SHARED_KINDS: ReadonlySet<string> = new Set(['addition', 'subtraction', 'difference', 'word problem'])
export const REVIEWER = 'reviewer'

export async function sharedQuestions(family: Family, size: number): Promise<QuestionSet> {
  const all = await family.questions('generalist')
  const found = all.filter(
    ({ tag, kind }) => tag === 'skill:arithmetic' && kind !== undefined && SHARED_KINDS.has(kind),
  )
  return halves('additions, subtractions and short word problems', found, size)
}

/** Sums and products in turn: each specialist knows half of them, and nobody is told which. */
export async function dividedQuestions(family: Family, size: number): Promise<QuestionSet> {
  const fields = ['arithmetic-a', 'arithmetic-b']
  const lists = await Promise.all(fields.map(name => family.questions(name, size)))
  const taken = Array.from({ length: size }, (_, index) => lists.flatMap(list => list[index] ?? [])).flat()
  return halves('arithmetic of which each specialist knows a part', taken, size, fields.length)
}

/** The same number of questions of every field. */
export async function mixedQuestions(family: Family, fields: readonly string[], size: number): Promise<QuestionSet> {
  const perField = 2 * Math.ceil(size / fields.length)
  const lists = await Promise.all(fields.map(name => family.questions(name, perField)))
  const taken = Array.from({ length: perField }, (_, index) => lists.flatMap(list => list[index] ?? [])).flat()
  return halves(`mixed questions of ${fields.join(', ')}`, taken, size, fields.length)
}

export async function compositeQuestions(size: number): Promise<QuestionSet> {
  const all = await loadJsonl(join(shippedModelsDirectory(), 'composite.jsonl'))
  return halves('composite questions', all, size)
}

/** Alternately, one of each field at a time, so that both halves have the same fields. */
const halves = (name: string, all: readonly Question[], size: number, fields = 1): QuestionSet => {
  const taken = all.slice(0, 2 * fields * Math.ceil(size / fields))
  const half = (which: number): readonly Question[] =>
    taken.filter((_, index) => Math.floor(index / fields) % 2 === which)
  return { name, chosenOn: half(1), reported: half(0) }
}

/** Members in order of the half that chooses, best first, and what they did there. */
export interface Ranked {
  readonly names: readonly string[]
  readonly chosenOn: ReadonlyMap<string, readonly Outcome[]>
}

/** Thresholds come from the half that chooses: the best value there (FrugalGPT), and a promise of 10 % errors at most. */
export function thresholdsOf({ names: [first = '', second = '', third = ''], chosenOn }: Ranked): {
  readonly staircase: readonly number[]
  readonly guaranteed: number
} {
  const of = (name: string): readonly Outcome[] => chosenOn.get(name) ?? []
  const records = of(first).map((_, index) => {
    const stages = [third, second, first].map(name => of(name)[index] as Outcome) // everybody answered every question
    return {
      scores: stages.map(({ confidence = 0 }) => confidence),
      values: stages.map(({ right }) => (right ? 1 : 0)),
      costs: stages.map(({ tokens }) => tokens),
    }
  })
  const learned = learnThresholds(records, {})?.thresholds ?? [1, 1]
  const pairs = of(second).map(({ confidence = 0, right }) => ({ score: confidence, wrong: !right }))
  return {
    staircase: learned.map(between),
    guaranteed: between(guaranteedThreshold(pairs, { alpha: 0.1 })),
  }
}

/** A threshold as a pathway takes it; what may never be accepted is asked for certainty. */
const between = (threshold: number): number => Math.min(1, Math.max(0, Number(threshold.toFixed(6))))

/** Every strategy on members that are all able, the best first; judges are those that were trained to judge. */
export function sharedPathways(ranked: Ranked): Readonly<Record<string, string>> {
  const [a, b, c] = ranked.names.map(name => `modelnet/${name}`)
  const all = `${a} | ${b} | ${c}`
  const judge = `modelnet/${REVIEWER}`
  const { staircase, guaranteed } = thresholdsOf(ranked)
  return {
    single: `single(${a})`,
    vote: `vote(${all})`,
    weighted: `weighted(${all})`,
    consistency: `consistency(${a}, n=5)`,
    surest: `surest(${all})`,
    ranked: `ranked(${all}, by=${judge}, judges=1)`,
    rank: `rank(${all}, by=${judge})`,
    usc: `usc(${all}, by=${judge})`,
    cascade: `cascade(${b}, ${c}, ${a})`,
    staircase: `staircase(${c}, ${b}, ${a}, at1=${staircase[0]}, at2=${staircase[1]})`,
    guaranteed: `guaranteed(${b}, ${a}, at=${guaranteed})`,
    verified: `verified(${b}, ${a}, judges=1, by=${judge})`,
    serial: `serial(${b}, ${a}, ${judge})`,
    joint: `joint(${all})`,
    s2p: `s2p(${c}, ${a}, ${b})`,
    p2s: `p2s(${a}, ${b}, ${judge})`,
    roles: `roles(${a}, ${b}, ${c})`,
    debate: `debate(${all}, rounds=2)`,
    moa: `moa(${all}, layers=2, by=${a})`,
    'self-moa': `self-moa(${a}, n=3)`,
    'rank-fuse': `rank-fuse(${all}, by=${judge})`,
    dynamic: `dynamic(${b}, hops=2)`,
    planned: 'planned(by=@planning)',
    abstain: `abstain(${a}, by=${judge}, n=1)`,
  }
}

/** Strategies that choose their members themselves, as a user who knows nothing of them would ask. */
export const MIXED_PATHWAYS: Readonly<Record<string, string>> = {
  auto: 'auto',
  single: 'single',
  vote: 'vote(n=3)',
  weighted: 'weighted(n=3)',
  surest: 'surest(n=2)',
  cascade: 'cascade(n=3)',
  staircase: 'staircase(n=3, at=0.9)',
  verified: 'verified(*, modelnet/generalist, judges=1, by=@review)',
  serial: 'serial(n=2)',
  joint: 'joint(n=2)',
  debate: 'debate(n=3)',
  dynamic: 'dynamic(*, hops=2)',
  planned: 'planned',
}

export const COMPOSITE_PATHWAYS: Readonly<Record<string, string>> = {
  auto: 'auto',
  planned: 'planned(by=@planning)',
  'single, whoever suits best': '*',
  vote: 'vote(n=3)',
  joint: 'joint(n=2)',
}

/** Strategies that say nothing about the shipped models, and why. */
export const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'abstain(…, how=compete)': 'no shipped model can argue in prose for another answer: every answer would be withheld',
  grounded: 'no shipped model was trained to check a claim against a document: every answer would be withheld',
}
