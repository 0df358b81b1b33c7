/**
 * Question: does a joint answer survive a member that cannot do the task?
 * Baselines: the competent member alone, and averaging all members alike (which fell from 85 to 23 % and from 69 to 41 %
 * in a preparatory test). Limit: the default is within 1 point of the competent member.
 * Run: npx tsx benchmarks/token-level/competence.ts [--questions 120]
 * Writes benchmarks/results/token-level-competence.json. A task is the questions of one kind from the maker of one
 * member. Beliefs of ability come from as many other questions of that kind as there are (at most as many again), as a
 * node's probes would give; the likelihood is of the question under each model.
 */
import type { Question } from '../../src/evaluation/index.ts'
import { mcnemarExact } from '../../src/evaluation/index.ts'
import type { Competence, FusionOptions } from '../../src/interaction/index.ts'
import { competenceWeights, promptLogprob } from '../../src/interaction/index.ts'
import { writeResult } from '../support.ts'
import { argument, fuse, isRight, loadFamily, open, rounded, write } from './models.ts'

const count = argument('questions', 120)
const family = await loadFamily()

/** Kind of question, who can do it, and who cannot. */
const TASKS: readonly (readonly [string, string, string])[] = [
  ['word problem', 'arithmetic-a', 'arithmetic-b'],
  ['multiplication', 'arithmetic-b', 'arithmetic-a'],
  ['division', 'arithmetic-b', 'arithmetic-a'],
  ['addition', 'arithmetic-a', 'geography'],
  ['capital', 'geography', 'elements'],
  ['symbol', 'elements', 'words'],
  ['plural', 'words', 'arithmetic-a'],
]

async function abilityOf(name: string, questions: readonly Question[]): Promise<Competence['ability']> {
  let right = 0
  for (const question of questions)
    if (isRight(question, (await write(await open(family.model(name), question.question))).text)) right++
  const mean = (right + 1) / (questions.length + 2)
  return { mean, deviation: Math.sqrt((mean * (1 - mean)) / (questions.length + 3)), evidence: questions.length }
}

const UNKNOWN: Competence['ability'] = { mean: 0.5, deviation: 0.29, evidence: 0 }

const results = []
for (const [kind, able, unable] of TASKS) {
  if (![able, unable].every(name => family.names.includes(name))) continue
  const all = (await family.questions(able)).filter(question => question.kind === kind)
  const test = all.filter((_, index) => index % 2 === 1).slice(0, count)
  const probes = all.filter((_, index) => index % 2 === 0).slice(0, count)
  const members = [able, unable]
  const abilities = await Promise.all(members.map(name => abilityOf(name, probes)))
  const answers = async (make: (question: string) => Promise<string>): Promise<boolean[]> => {
    const right: boolean[] = []
    for (const question of test) right.push(isRight(question, await make(question.question)))
    return right
  }
  const joint = (options: FusionOptions, competence?: (question: string) => Promise<readonly Competence[]>) =>
    answers(async question => {
      const weights = competence ? competenceWeights(await competence(question)) : members.map(() => 1)
      const session = await fuse(family, members, question, { lateMs: 30_000, ...options, weights })
      return (await write(session)).text
    })
  const withPrompt = (question: string, known: readonly Competence['ability'][]) =>
    Promise.all(
      members.map(async (name, index) => ({
        ability: known[index] ?? UNKNOWN,
        promptLogprob: (await promptLogprob(family.model(name), [{ role: 'user', content: question }])) ?? 0,
      })),
    )
  const alone = await answers(async question => (await write(await open(family.model(able), question))).text)
  const other = await answers(async question => (await write(await open(family.model(unable), question))).text)
  const ways: Record<string, boolean[]> = {
    'averaging all alike': await joint({ learn: false }),
    'course of the text': await joint({}),
    'likelihood of the prompt, course of the text': await joint({}, question => withPrompt(question, [])),
    'default: beliefs, likelihood of the prompt, course of the text': await joint({}, question =>
      withPrompt(question, abilities),
    ),
  }
  const percent = (right: readonly boolean[]): number => rounded((100 * right.filter(Boolean).length) / test.length, 1)
  const result = {
    kind,
    able,
    unable,
    n: test.length,
    ableAlone: percent(alone),
    unableAlone: percent(other),
    believed: abilities.map(({ mean }) => rounded(mean)),
    joint: Object.fromEntries(
      Object.entries(ways).map(([label, right]) => {
        const gained = right.filter((value, at) => value && !alone[at]).length
        const lost = right.filter((value, at) => !value && alone[at]).length
        return [label, { percent: percent(right), gained, lost, p: rounded(mcnemarExact(gained, lost), 4) }]
      }),
    ),
  }
  results.push(result)
  console.log(JSON.stringify(result, null, 1))
}
await family.close()
writeResult('token-level-competence', { results })
