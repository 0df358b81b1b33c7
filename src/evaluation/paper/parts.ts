import { loadJsonl } from '../datasets/jsonl.ts'
import { isHeldOut, sample } from '../datasets/sample.ts'
import { simpleMath } from '../datasets/simple-math.ts'
import type { Question } from '../question.ts'
import type { ExperimentOptions, ExperimentResult, PaperBench, QuestionSet } from './bench.ts'
import { duetnet } from './duetnet.ts'
import { generalisation } from './generalisation.ts'
import { mixed } from './mixed.ts'
import { mutualEvaluation } from './mutual.ts'
import { paths } from './paths.ts'
import { stability } from './stability.ts'

export type PaperPart = 'mixed' | 'composite' | 'stability' | 'generalisation' | 'duetnet' | 'paths' | 'mutual'

/** What a part has to work with. */
export interface PartContext {
  readonly bench: PaperBench
  /** The same models at every node of `nodes`. */
  readonly replicated: PaperBench
  readonly nodes: readonly string[]
  /** Held-out questions by the name of the model that specialises in them. */
  readonly files: readonly { readonly name: string; readonly heldout: string }[]
  /** Questions per set. */
  readonly questions: number
  readonly options: ExperimentOptions & { readonly composite?: string }
}

type Part = (context: PartContext) => Promise<readonly ExperimentResult[]>

/** The parts of `modelnet bench paper`, in the order of the report. */
export const PARTS: Readonly<Record<PaperPart, Part>> = {
  async mixed(context) {
    const sets = await fields(context, context.questions * 2)
    return [
      await mixed(context.bench, {
        ...context.options,
        members: answerers(context),
        sets,
        title: 'All fields mixed, no labels',
      }),
    ]
  },
  async composite({ bench, options, questions }) {
    if (options.composite === undefined) return []
    const set = {
      name: 'composite',
      questions: sample(await loadJsonl(options.composite), questions * 4, options.seed),
    }
    return [
      await mixed(bench, {
        ...options,
        members: bench.members,
        sets: [set],
        name: 'composite',
        title: 'Composite questions that no single model can answer',
      }),
    ]
  },
  async stability(context) {
    const { replicated, nodes, bench, options, questions } = context
    const sets = await fields(context, Math.ceil(questions / 2))
    const all = sets.flatMap(set => set.questions)
    const overlapping = members(context, ['arithmetic-a', 'arithmetic-b', 'generalist'])
    const sums = (await heldout(context, 'arithmetic-a')).filter(
      ({ kind }) => kind === 'addition' || kind === 'subtraction',
    )
    return [
      await stability(replicated, {
        ...options,
        questions: all,
        members: nodes,
        network: { pathway: 'auto' },
        alone: 'network',
        alike: true,
        name: 'stability',
        title: `Stability (figure 6): ${nodes.length} nodes with every specialist, mixed fields`,
      }),
      await stability(bench, {
        ...options,
        questions: sample(sums, questions, options.seed),
        members: overlapping,
        network: { fuse: 'max' },
        name: 'stability-fusion',
        title: 'Stability (figure 6) in its published form: greedy token-level parallel of different models',
      }),
    ]
  },
  async generalisation(context) {
    const sets = [await simple(context), ...(await fields(context, context.questions * 2))].slice(0, 4)
    return [
      await generalisation(context.bench, {
        ...context.options,
        base: one(context, 'generalist'),
        members: answerers(context),
        sets,
        routing: 'auto',
      }),
    ]
  },
  async duetnet(context) {
    const four = members(context, ['generalist', 'arithmetic-a', 'arithmetic-b', 'geography'])
    const sets = [
      await simple(context),
      ...(await namedSets(context, ['arithmetic-a', 'geography', 'generalist'], context.questions)),
    ]
    return [
      await duetnet(context.bench, {
        ...context.options,
        members: four,
        sets,
        sweepQuestions: Math.ceil(context.questions / 2),
      }),
    ]
  },
  async paths(context) {
    const [a, b, c] = members(context, ['arithmetic-a', 'arithmetic-b', 'generalist'])
    if (a === undefined || b === undefined || c === undefined) return []
    const sets = [
      await simple(context),
      ...(await namedSets(context, ['arithmetic-a', 'generalist'], context.questions)),
    ]
    return [await paths(context.bench, { ...context.options, members: [a, b, c], sets })]
  },
  async mutual(context) {
    const four = members(context, ['generalist', 'arithmetic-a', 'arithmetic-b', 'geography'])
    const sets = await namedSets(context, ['arithmetic-a', 'arithmetic-b', 'generalist'], context.questions * 2)
    const halves = [0, 1].map(half =>
      sets.map(set => ({ ...set, questions: set.questions.filter((_, index) => index % 2 === half) })),
    )
    const [gradingSets = [], reported = []] = halves
    const reviewer = context.bench.members.find(id => shortName(id) === 'reviewer')
    return [
      await mutualEvaluation(context.bench, {
        ...context.options,
        members: four,
        gradingSets,
        sets: reported,
        ...(reviewer === undefined ? {} : { reviewer }),
      }),
    ]
  },
}

/** Planner and reviewer answer no questions of a field. */
const HELPERS: ReadonlySet<string> = new Set(['planner', 'reviewer'])

/** `arithmetic-a` of `modelnet/arithmetic-a`. */
export const shortName = (id: string): string => id.slice(id.lastIndexOf('/') + 1)

const answerers = ({ bench }: PartContext): readonly string[] => bench.members.filter(id => !HELPERS.has(shortName(id)))

/** Ids of the named models that are there; of any others, in order, where a name is missing. */
function members(context: PartContext, names: readonly string[]): readonly string[] {
  const named = names.flatMap(name => context.bench.members.filter(id => shortName(id) === name))
  const others = answerers(context).filter(id => !named.includes(id))
  return [...named, ...others].slice(0, names.length)
}

const one = (context: PartContext, name: string): string => members(context, [name])[0] ?? ''

async function heldout(context: PartContext, name: string): Promise<readonly Question[]> {
  const file = context.files.find(candidate => candidate.name === name)
  return file ? loadJsonl(file.heldout) : []
}

/** The held-out questions of the named models, as sets; those that are not there are left out, and without any all serve. */
async function namedSets(
  context: PartContext,
  names: readonly string[],
  count: number,
): Promise<readonly QuestionSet[]> {
  const there = names.filter(name => context.files.some(file => file.name === name))
  const taken = there.length > 0 ? there : context.files.map(file => file.name)
  const sets = await Promise.all(
    taken.map(async name => ({ name, questions: sample(await heldout(context, name), count, context.options.seed) })),
  )
  return sets.filter(set => set.questions.length > 0)
}

/** One set per specialist: its own held-out questions. */
const fields = (context: PartContext, count: number): Promise<readonly QuestionSet[]> =>
  namedSets(
    context,
    context.files.map(file => file.name).filter(name => name !== 'generalist' && !HELPERS.has(name)),
    count,
  )

/** SimpleMath, of it only what no model was trained on. */
async function simple({ questions, options }: PartContext): Promise<QuestionSet> {
  const all = simpleMath(questions * 20, options.seed)
  const unseen = all.filter(({ id }) => isHeldOut(`simple:${id.slice(id.indexOf('/') + 1)}`))
  return { name: 'SimpleMath', questions: unseen.slice(0, questions) }
}
