/**
 * Question: is a joint answer of models that share a task as good as the best of them, by every fusion rule?
 * Baselines: each member alone, the member that was best on the calibration half, self-consistency of that member with
 * as many samples as there are members (temperature 0.7, majority of answers, ties to the first), on the same questions.
 * Limits: the default is never significantly below the better member (exact McNemar test); of questions all members
 * get right it keeps 95 %, of those some get right it decides 73 % right, of those none gets right it rescues 37 %.
 * Run: npx tsx benchmarks/token-level/accuracy.ts [--questions 100] [--only skill] [--fresh FOLDER] [--rules 13]
 * Writes benchmarks/results/token-level-accuracy.json, with `-fresh` for the questions of a folder that
 * `python3 training/questions.py FOLDER` makes: defaults were chosen on rows of the files beside the models, so what they
 * are worth is told by questions that were never looked at. Of the questions of a task every second one calibrates
 * (beliefs of ability, choice of the best member); figures are of the others only. The four of arithmetic are the three
 * that know it and one that only converts units: no fourth model shares a task.
 */
import type { Question } from '../../src/evaluation/index.ts'
import { graderOf, mcnemarExact, wilson } from '../../src/evaluation/index.ts'
import type { FusionOptions } from '../../src/interaction/index.ts'
import { competenceWeights, duetNetRaw, promptLogprob } from '../../src/interaction/index.ts'
import type { DistributionKind } from '../../src/resource/index.ts'
import { writeResult } from '../support.ts'
import { argument, BYTES, FRESH, fuse, isRight, loadFamily, open, rounded, textArgument, write } from './models.ts'

const perTask = argument('questions', 100)
/** So many of the configurations below, in order. */
const ruleCount = argument('rules', Number.POSITIVE_INFINITY)
const only = textArgument('only')
/** Joins the members of a skill where it makes them four. */
const OUTSIDERS: Readonly<Record<string, string>> = { 'skill:arithmetic': 'units' }

const tokens = (top: number): DistributionKind => ({ kind: 'tokens', top })

/** What weights are made of: what is known of the members at the task, how familiar each finds the question, or both. */
type Knowledge = 'beliefs' | 'prompt' | 'both'

/** What is compared; `competence`: weights as the product sets them, instead of equal ones. */
const CONFIGURATIONS: Readonly<
  Record<string, FusionOptions & { readonly distribution: DistributionKind; readonly competence?: Knowledge }>
> = {
  'default (competence by beliefs and by the likelihood of the prompt)': {
    distribution: BYTES,
    rule: 'mean',
    competence: 'both',
  },
  'without labels (competence by the likelihood of the prompt only)': {
    distribution: BYTES,
    rule: 'mean',
    competence: 'prompt',
  },
  'competence by beliefs only': { distribution: BYTES, rule: 'mean', competence: 'beliefs' },
  'bytes: mean, learned weights': { distribution: BYTES, rule: 'mean' },
  'bytes: mean (PI)': { distribution: BYTES, rule: 'mean', learn: false },
  'bytes: max': { distribution: BYTES, rule: 'max', learn: false },
  'bytes: product': { distribution: BYTES, rule: 'product', learn: false },
  'bytes: robust': { distribution: BYTES, rule: 'robust', learn: false },
  'tokens: mean (DP)': { distribution: tokens(10), rule: 'mean', learn: false },
  'tokens: GaC': { distribution: tokens(50), rule: 'gac', learn: false },
  'tokens: UniTE': { distribution: tokens(10), rule: 'unite', learn: false },
  // Sessions report log-probabilities; 20 nats stand for the normaliser of the logits, which makes them positive.
  'tokens: DuetNet as published': { distribution: tokens(10), rule: duetNetRaw({ offset: 20 }), learn: false },
  'tokens: DuetNet corrected': { distribution: tokens(10), rule: 'duet', learn: false },
}

const family = await loadFamily()
const skillsOf = (name: string): readonly string[] =>
  family.model(name).card.tags.filter(tag => tag.startsWith('skill:'))
/** Of one field: its first tag names it, a second one what it knows of it. */
const specialists = family.names.filter(name => skillsOf(name).length <= 2)
const skills = [...new Set(specialists.flatMap(name => skillsOf(name).slice(0, 1)))].filter(
  skill => !only || skill.endsWith(only),
)

interface Task {
  readonly skill: string
  readonly members: readonly string[]
  readonly calibration: readonly Question[]
  readonly test: readonly Question[]
}

/** Every second question of each specialist of the skill in turn, so that all kinds and both makers are there. */
async function taskOf(skill: string): Promise<Task | undefined> {
  const members = family.names.filter(name => skillsOf(name).includes(skill))
  const owners = members.filter(name => specialists.includes(name))
  const each = Math.ceil((2 * perTask) / owners.length)
  const lists = await Promise.all(owners.map(name => family.questions(name, each)))
  const questions = lists.flat()
  const half = (parity: number): readonly Question[] => questions.filter((_, index) => index % 2 === parity)
  return members.length < 2 ? undefined : { skill, members, calibration: half(0), test: half(1) }
}

const subsets = (names: readonly string[], outsider: readonly string[]): readonly (readonly string[])[] => [
  ...Array.from({ length: 2 ** names.length }, (_, mask) => names.filter((_, index) => mask & (1 << index))).filter(
    group => group.length >= 2,
  ),
  ...(outsider.length > 0 ? [[...names, ...outsider]] : []),
]

async function alone(name: string, question: Question, options = {}): Promise<string> {
  return (await write(await open(family.model(name), question.question), options)).text
}

async function rightAnswers(name: string, questions: readonly Question[]): Promise<readonly boolean[]> {
  const right: boolean[] = []
  for (const question of questions) right.push(isRight(question, await alone(name, question)))
  return right
}

async function selfConsistent(name: string, question: Question, samples: number): Promise<boolean> {
  const texts: string[] = []
  for (let seed = 1; seed <= samples; seed++) texts.push(await alone(name, question, { temperature: 0.7, seed }))
  const keys = texts.map(text => graderOf(question.grader).key(text) ?? text)
  const votes = keys.map(key => keys.filter(other => other === key).length)
  return isRight(question, texts[votes.indexOf(Math.max(...votes))] ?? '')
}

/** A belief without evidence: uniform between never and always right. */
const UNKNOWN = { mean: 0.5, deviation: 0.29, evidence: 0 }

const share = (values: readonly boolean[]): number => values.filter(Boolean).length
const accuracy = (values: readonly boolean[]) => {
  const { estimate, low, high } = wilson(share(values), values.length)
  return {
    n: values.length,
    percent: rounded(100 * estimate, 1),
    interval: [rounded(100 * low, 1), rounded(100 * high, 1)],
  }
}
const against = (joint: readonly boolean[], other: readonly boolean[]) => {
  const onlyJoint = share(joint.map((right, at) => right && !other[at]))
  const onlyOther = share(joint.map((right, at) => !right && other[at] === true))
  return { onlyJoint, onlyOther, p: rounded(mcnemarExact(onlyJoint, onlyOther), 4) }
}

const results = []
for (const skill of skills) {
  const task = await taskOf(skill)
  if (!task) continue
  const calibrated = new Map<string, number>()
  const single = new Map<string, readonly boolean[]>()
  const outsider = [OUTSIDERS[skill] ?? []].flat()
  for (const name of [...task.members, ...outsider]) {
    calibrated.set(name, share(await rightAnswers(name, task.calibration)))
    single.set(name, await rightAnswers(name, task.test))
  }
  const abilityOf = (name: string) => {
    const n = task.calibration.length
    const mean = ((calibrated.get(name) ?? 0) + 1) / (n + 2)
    return { mean, deviation: Math.sqrt((mean * (1 - mean)) / (n + 3)), evidence: n }
  }
  for (const members of subsets(task.members, outsider)) {
    const ranked = members.toSorted((a, b) => (calibrated.get(b) ?? 0) - (calibrated.get(a) ?? 0))
    const best = ranked[0] ?? ''
    const bestRight = single.get(best) ?? []
    const strongest = members.map(name => single.get(name) ?? []).toSorted((a, b) => share(b) - share(a))[0] ?? []
    const weights = competenceWeights(members.map(name => ({ ability: abilityOf(name) })))
    const weightsFor = async (by: Knowledge, question: string): Promise<readonly number[]> => {
      const known = members.map(async name => {
        const logprob =
          by === 'beliefs' ? undefined : await promptLogprob(family.model(name), [{ role: 'user', content: question }])
        const ability = by === 'prompt' ? UNKNOWN : abilityOf(name)
        return { ability, ...(logprob !== undefined && { promptLogprob: logprob }) }
      })
      return competenceWeights(await Promise.all(known))
    }
    const counts = task.test.map((_, at) => members.filter(name => single.get(name)?.[at]).length)
    const consistent: boolean[] = []
    for (const question of task.test) consistent.push(await selfConsistent(best, question, members.length))
    const rules: Record<string, object> = {}
    for (const [label, { competence, ...options }] of Object.entries(CONFIGURATIONS).slice(0, ruleCount)) {
      const right: boolean[] = []
      for (const question of task.test) {
        const session = await fuse(family, members, question.question, {
          ...options,
          lateMs: 30_000,
          ...(competence && { weights: await weightsFor(competence, question.question) }),
        })
        right.push(isRight(question, (await write(session)).text))
      }
      const among = (wanted: (count: number) => boolean) => {
        const group = right.filter((_, at) => wanted(counts[at] ?? 0))
        return { n: group.length, percent: group.length ? rounded((100 * share(group)) / group.length, 1) : null }
      }
      rules[label] = {
        ...accuracy(right),
        againstBestOfCalibration: against(right, bestRight),
        againstBestOfTest: against(right, strongest),
        keptRight: among(count => count === members.length),
        decidedRight: among(count => count > 0 && count < members.length),
        rescued: among(count => count === 0),
      }
    }
    const result = {
      skill,
      members,
      best,
      weights: weights.map(weight => rounded(weight)),
      single: Object.fromEntries(members.map(name => [name, accuracy(single.get(name) ?? [])])),
      selfConsistency: accuracy(consistent),
      rules,
    }
    results.push(result)
    console.log(
      JSON.stringify({
        skill,
        members,
        single: Object.values(result.single).map(one => one.percent),
        sc: result.selfConsistency.percent,
      }),
    )
    for (const [label, figures] of Object.entries(rules)) console.log('  ', label, JSON.stringify(figures))
  }
}
await family.close()
const name = ['token-level-accuracy', ...(only ? [only] : []), ...(FRESH ? ['fresh'] : [])].join('-')
writeResult(name, { perTask, results })
