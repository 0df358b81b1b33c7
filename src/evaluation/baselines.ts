import { ModelNetError } from '../utils/errors.ts'
import { createRandom } from '../utils/random.ts'
import { graderOf } from './graders.ts'
import type { Question } from './question.ts'
import { type Evaluation, questionSeed, type Row } from './run.ts'
import { mean } from './statistics.ts'
import { rowsOf } from './summary.ts'
import type { AskOptions, System, SystemAnswer } from './system.ts'

/** A system that can also be asked for a random answer instead of its most probable one. */
export interface SampledSystem extends System {
  sample(question: Question, options: AskOptions & { readonly temperature: number }): Promise<SystemAnswer>
}

export interface SelfConsistencyOptions {
  /** Samples per question, the first greedy. */
  readonly samples: number
  /** @default 0.7 */
  readonly temperature?: number
}

/**
 * Self-consistency of one system (Wang et al. 2022): the answer most of its samples agree on, the greedy one breaking
 * ties. Samples are compared by the grader's key, so 3 km and 3000 m are one answer.
 */
export function selfConsistency(system: SampledSystem, { samples, temperature = 0.7 }: SelfConsistencyOptions): System {
  return {
    name: `self-consistency(${system.name}, n=${samples})`,
    async answer(question, options = {}) {
      const started = performance.now()
      const { seed = 1 } = options
      const answers = [await system.answer(question, options)]
      for (let index = 1; index < samples; index++)
        answers.push(
          await system.sample(question, { ...options, seed: (seed + index * 7919) & 0x7fffffff, temperature }),
        )
      const key = (answer: SystemAnswer): string | undefined =>
        graderOf(question.grader).key(answer.text, question.choices ? { choices: question.choices } : {})
      const text = majority(answers.map(answer => ({ text: answer.text, key: key(answer) })))
      const sum = (value: (answer: SystemAnswer) => number): number =>
        answers.reduce((total, answer) => total + value(answer), 0)
      return {
        text,
        usage: {
          promptTokens: sum(answer => answer.usage.promptTokens),
          completionTokens: sum(answer => answer.usage.completionTokens),
        },
        ms: performance.now() - started,
        calls: sum(answer => answer.calls),
      }
    },
  }
}

/** How many samples of a member cost as many completion tokens per question as `other` does; at least one. */
export const samplesAtEqualBudget = (member: readonly Row[], other: readonly Row[]): number =>
  Math.max(
    1,
    Math.round(
      mean(other.map(row => row.usage.completionTokens)) /
        Math.max(1, mean(member.map(row => row.usage.completionTokens))),
    ),
  )

/** The member most accurate on a selection split, which must not be the reported one; the earlier name wins ties. */
export function bestMember(selection: Evaluation, members: readonly string[]): string {
  const right = (name: string): number => rowsOf(selection, name).filter(row => row.verdict === 'right').length
  const [first, ...others] = members
  if (first === undefined) throw new ModelNetError('INVALID_REQUEST', 'expected at least one member')
  return others.reduce((best, name) => (right(name) > right(best) ? name : best), first)
}

/** A member drawn anew for every question: the floor of every router. Made of rows that exist, so it costs nothing. */
export function randomBaseline(evaluation: Evaluation, members: readonly string[]): readonly Row[] {
  return perQuestion(
    evaluation,
    members,
    'random member',
    (rows, seed) => rows[Math.floor(createRandom(seed).fork('random member').next() * rows.length)],
  )
}

/** Right where any member is: the ceiling of every router, which no system can know. */
export function oracleBaseline(evaluation: Evaluation, members: readonly string[]): readonly Row[] {
  return perQuestion(evaluation, members, 'oracle', rows => rows.find(row => row.verdict === 'right') ?? rows[0])
}

function perQuestion(
  evaluation: Evaluation,
  members: readonly string[],
  system: string,
  choose: (rows: readonly Row[], seed: number) => Row | undefined,
): readonly Row[] {
  return evaluation.questions.flatMap(({ id }) => {
    const rows = evaluation.rows.filter(row => row.question === id && members.includes(row.system))
    const row = choose(rows, questionSeed(evaluation.seed, id))
    return row ? [{ ...row, system }] : []
  })
}

function majority(votes: readonly { readonly text: string; readonly key: string | undefined }[]): string {
  const counts = new Map<string, number>()
  for (const { key } of votes) if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
  const most = Math.max(0, ...counts.values())
  return (votes.find(({ key }) => key !== undefined && counts.get(key) === most) ?? votes[0])?.text ?? ''
}
