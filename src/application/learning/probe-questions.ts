import type { Question } from '../../evaluation/index.ts'
import { COMPUTED_FIELDS, fieldQuestions, graderOf, loadJsonl } from '../../evaluation/index.ts'
import type { ProbeSource } from '../../service/index.ts'
import { refineTags } from '../../service/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Random } from '../../utils/random.ts'

/** Questions made at a time; when they are used up, others are made. */
const BATCH = 60

/**
 * Graded questions for probes: fresh ones by generators, of facts only those that were kept out of training, which nobody can learn by
 * heart, and those of the operator's own files, which nobody else has. `random` must be secret, or a peer could foresee them.
 * Throws INVALID_CONFIG for a file that cannot be read.
 */
export async function createProbeQuestions(files: readonly string[], random: Random): Promise<ProbeSource> {
  const pools = new Map<string, Question[]>()
  const own = new Map<string, Maker>()
  for (const file of files)
    for (const [tag, questions] of byTag(await readQuestions(file))) own.set(tag, () => shuffled(questions, random))
  let makers: ReadonlyMap<string, Maker> | undefined
  return tag => {
    // made for the first probe only: a node that starts has more urgent things to do
    makers ??= new Map([...generators(random), ...own])
    const make = makers.get(tag)
    if (!make) return undefined
    const left = pools.get(tag)?.length ? pools.get(tag) : make()
    if (!left) return undefined
    pools.set(tag, left)
    const next = left.pop()
    if (!next) return undefined
    const grader = graderOf(next.grader)
    const options = next.choices ? { choices: next.choices } : {}
    return {
      question: next.question,
      grade: answer => (grader.grade(answer, next.answer, options).verdict === 'right' ? 1 : 0),
    }
  }
}

type Maker = () => Question[]

/** Makers of questions by the tag of a field and of its parts. */
function generators(random: Random): ReadonlyMap<string, Maker> {
  const makers = new Map<string, Maker>()
  for (const field of COMPUTED_FIELDS) {
    const make: Maker = () => shuffled(fieldQuestions(field, BATCH, Math.floor(random.next() * 2 ** 32)), random)
    makers.set(`skill:${field}`, make)
    const finer = (question: Question): string | undefined =>
      refineTags([{ tag: `skill:${field}`, probability: 1 }], question.question)[1]?.tag
    for (const tag of new Set(make().flatMap(question => finer(question) ?? [])))
      makers.set(tag, () => make().filter(question => finer(question) === tag))
  }
  return makers
}

async function readQuestions(file: string): Promise<readonly Question[]> {
  try {
    return await loadJsonl(file)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ModelNetError('INVALID_CONFIG', `cannot read the probe questions ${file}: ${reason}`, { cause })
  }
}

function byTag(questions: readonly Question[]): ReadonlyMap<string, readonly Question[]> {
  const groups = new Map<string, Question[]>()
  for (const question of questions) {
    if (question.tag === undefined) continue
    const group = groups.get(question.tag) ?? []
    groups.set(question.tag, group)
    group.push(question)
  }
  return groups
}

const shuffled = (questions: readonly Question[], random: Random): Question[] =>
  questions
    .map(question => ({ question, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ question }) => question)
