/**
 * Question: of questions that every member answers wrongly, how many does a joint answer get right, by every rule, and
 * how many could any rule get right?
 * Baseline: 37 % (DuetNet's authors, two models of 7 billion weights on grade-school problems).
 * Run: python3 training/questions.py FOLDER, then
 * npx tsx benchmarks/token-level/rescue.ts --fresh FOLDER [--questions 400] [--samples 8]
 * Writes benchmarks/results/token-level-rescue.json. For each pair of models that share a skill, and the triple of
 * arithmetic, all questions of the skill's specialists are put to each member alone; the rules are asked those that all
 * get wrong. `withinReach`: some of so many samples at temperature 1 of some member is right. `favoured`: the majority
 * of so many samples of some member is right. `alike`: the members give the same wrong answer, which no rule that
 * follows them can leave.
 */
import type { Question } from '../../src/evaluation/index.ts'
import { graderOf } from '../../src/evaluation/index.ts'
import type { DecodeTextOptions, FusionOptions } from '../../src/interaction/index.ts'
import { competenceWeights, promptLogprob } from '../../src/interaction/index.ts'
import type { DistributionKind } from '../../src/resource/index.ts'
import { writeResult } from '../support.ts'
import { argument, fuse, isRight, loadFamily, open, rounded, textArgument, write } from './models.ts'

const perMaker = argument('questions', 400)
const samples = argument('samples', 8)
const only = textArgument('only')
const TEN: DistributionKind = { kind: 'tokens', top: 10 }
const UNKNOWN = { mean: 0.5, deviation: 0.29, evidence: 0 }

interface Way extends FusionOptions {
  readonly distribution?: DistributionKind
  /** Weights by how familiar each member finds the question, as the product sets them without beliefs. */
  readonly familiar?: true
  /** Texts sampled, of which the majority decides. */
  readonly texts?: number
}

const WAYS: Readonly<Record<string, Way>> = {
  'default without labels': { familiar: true },
  'bytes: mean, learned weights': {},
  'bytes: mean, Bayes weights (rate 1)': { learn: { rate: 1 } },
  'bytes: mean (PI)': { learn: false },
  'bytes: max': { rule: 'max', learn: false },
  'bytes: product': { rule: 'product', learn: false },
  'bytes: robust': { rule: 'robust', learn: false },
  'tokens: mean (DP)': { distribution: TEN, learn: false },
  'tokens: GaC': { distribution: { kind: 'tokens', top: 50 }, rule: 'gac', learn: false },
  'tokens: UniTE': { distribution: TEN, rule: 'unite', learn: false },
  'tokens: DuetNet corrected': { distribution: TEN, rule: 'duet', learn: false },
  'bytes: mean, sampled, majority': { learn: false, texts: samples },
  'bytes: product, sampled, majority': { rule: 'product', learn: false, texts: samples },
}

const family = await loadFamily()
const skillsOf = (name: string): readonly string[] =>
  family.model(name).card.tags.filter(tag => tag.startsWith('skill:'))
const specialists = family.names.filter(name => skillsOf(name).length <= 2)
const skills = [...new Set(specialists.flatMap(name => skillsOf(name).slice(0, 1)))].filter(
  skill => !only || skill.endsWith(only),
)

const alone = async (name: string, question: Question, options: DecodeTextOptions = {}): Promise<string> =>
  (await write(await open(family.model(name), question.question), options)).text

const keyOf = (question: Question, text: string): string => graderOf(question.grader).key(text) ?? text

/** The text of the answer that most of these give; of equal ones the first. */
function majority(question: Question, texts: readonly string[]): string {
  const keys = texts.map(text => keyOf(question, text))
  const votes = keys.map(key => keys.filter(other => other === key).length)
  return texts[votes.indexOf(Math.max(...votes))] ?? ''
}

async function joint(members: readonly string[], question: Question, way: Way): Promise<string> {
  const { familiar, texts, ...options } = way
  const weights = familiar
    ? competenceWeights(
        await Promise.all(
          members.map(async name => {
            const logprob = await promptLogprob(family.model(name), [{ role: 'user', content: question.question }])
            return { ability: UNKNOWN, ...(logprob !== undefined && { promptLogprob: logprob }) }
          }),
        ),
      )
    : members.map(() => 1)
  const one = async (decoding: DecodeTextOptions): Promise<string> => {
    const session = await fuse(family, members, question.question, { ...options, lateMs: 30_000, weights })
    return (await write(session, decoding)).text
  }
  if (texts === undefined) return one({})
  const written: string[] = []
  for (let seed = 1; seed <= texts; seed++) written.push(await one({ temperature: 1, seed }))
  return majority(question, written)
}

const groupsOf = (names: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: 2 ** names.length }, (_, mask) => names.filter((_, index) => mask & (1 << index))).filter(
    group => group.length >= 2,
  )

const percent = (count: number, of: number): number | null => (of > 0 ? rounded((100 * count) / of, 1) : null)
const results = []
for (const skill of skills) {
  const members = family.names.filter(name => skillsOf(name).includes(skill))
  if (members.length < 2) continue
  const makers = members.filter(name => specialists.includes(name))
  const questions = (await Promise.all(makers.map(name => family.questions(name, perMaker)))).flat()
  const greedy = new Map<string, readonly string[]>()
  for (const name of members) {
    const texts: string[] = []
    for (const question of questions) texts.push(await alone(name, question))
    greedy.set(name, texts)
  }
  const sampled = new Map<string, readonly string[]>()
  const sample = async (name: string, question: Question): Promise<readonly string[]> => {
    const key = `${name} ${question.id}`
    const known = sampled.get(key)
    if (known) return known
    const texts: string[] = []
    for (let seed = 1; seed <= samples; seed++) texts.push(await alone(name, question, { temperature: 1, seed }))
    sampled.set(key, texts)
    return texts
  }
  for (const group of groupsOf(members)) {
    const textsOf = (at: number): readonly string[] => group.map(name => greedy.get(name)?.[at] ?? '')
    const wrong = questions.flatMap((question, at) =>
      textsOf(at).every(text => !isRight(question, text)) ? [{ question, texts: textsOf(at) }] : [],
    )
    const counts = { alike: 0, withinReach: 0, favoured: 0 }
    for (const { question, texts } of wrong) {
      if (new Set(texts.map(text => keyOf(question, text))).size === 1) counts.alike++
      const drawn: (readonly string[])[] = []
      for (const name of group) drawn.push(await sample(name, question))
      if (drawn.flat().some(text => isRight(question, text))) counts.withinReach++
      if (drawn.some(one => isRight(question, majority(question, one)))) counts.favoured++
    }
    const rescued: Record<string, { readonly count: number; readonly percent: number | null }> = {}
    for (const [label, way] of Object.entries(WAYS)) {
      let count = 0
      for (const { question } of wrong) if (isRight(question, await joint(group, question, way))) count++
      rescued[label] = { count, percent: percent(count, wrong.length) }
    }
    const share = Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [name, { count, percent: percent(count, wrong.length) }]),
    )
    const result = { skill, members: group, questions: questions.length, allWrong: wrong.length, ...share, rescued }
    results.push(result)
    console.log(JSON.stringify(result))
  }
}
await family.close()
writeResult('token-level-rescue', { perMaker, samples, results })
