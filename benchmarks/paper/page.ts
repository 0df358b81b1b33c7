/**
 * Writes docs/paper.md from benchmarks/results/paper/report.json and benchmarks/results/specialists.json, so that the page
 * quotes nothing but figures that were run. Run: npx tsx benchmarks/paper/page.ts [report.json] [page.md]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Interval } from '../../src/evaluation/index.ts'

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url)
// written by run.ts and measure.ts of the same version
const [source = at('benchmarks/results/paper/report.json'), target = at('docs/paper.md')] = process.argv.slice(2)
const { facts, figures } = JSON.parse(readFileSync(source, 'utf8'))
const specialists = JSON.parse(readFileSync(at('benchmarks/results/specialists.json'), 'utf8'))

const percent = (share: number): string => (100 * share).toFixed(1)
const interval = ({ estimate, low, high }: Interval): string =>
  `${percent(estimate)} [${percent(low)}, ${percent(high)}]`
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows.map(cells => row(...cells))].join('\n')

interface Summary {
  readonly name: string
  readonly n: number
  readonly accuracy: Interval
}
const summary = (part: string, prefix: string): Summary =>
  figures[part].summaries.find(({ name }: Summary) => name.startsWith(prefix))
const accuracy = (part: string, prefix: string): string => interval(summary(part, prefix).accuracy)

const rate = (part: string, value: number) =>
  figures[part].rates.find((entry: { rate: number }) => entry.rate === value)
const both = (part: string, value: (entry: ReturnType<typeof rate>) => number): string =>
  `${percent(value(rate(part, 1)))} / ${percent(value(rate(part, 0.5)))}`

const scores: Readonly<Record<string, Readonly<Record<string, number>>>> = figures.duetnet.accuracy
const score = (system: string): number => mean(Object.values(scores[system] ?? {}))
const singles = Object.keys(scores).filter(name => !name.includes(' '))
const sets = Object.keys(scores[singles[0] ?? ''] ?? {})
const METHODS = ['gac', 'unite', 'dp', 'dk', 'duet-raw', 'duet', 'joint']
const groups = (size: number): readonly (readonly string[])[] => {
  const names = [
    ...new Set(
      Object.keys(scores)
        .filter(name => name.endsWith(' joint'))
        .map(name => name.slice(0, -' joint'.length)),
    ),
  ]
  return names.map(name => name.split(' & ')).filter(group => group.length === size)
}
const byMethod = (size: number): readonly string[] => [
  ...METHODS.map(method => percent(mean(groups(size).map(group => score(`${group.join(' & ')} ${method}`))))),
  percent(mean(groups(size).map(group => Math.max(...group.map(score))))),
]
const { split, sweeps, consistency, costs, swept } = figures.duetnet
type Swept = { readonly value: number; readonly duet: number; readonly 'duet-raw': number }
/** The published means over pairs, %, read from figures 6, 12 and 13 (+-0.5). */
const PUBLISHED_SWEEPS: Readonly<Record<string, string>> = {
  topT: '1: 75.7, 2: 57.5, 3: 54.5, 20: 54.7',
  topP: '0.1: 70.4, 0.3: 71.2, 0.5: 72.3, 0.65: 73.6, 0.75: 75.7, 0.85: 73.1, 0.9: 72.5, 1: 54.8',
  topK: '1: 72.4, 2: 74.1, 4: 75.4, 6: 75.4, 8: 75.3, 10: 75.7',
  offset: '',
}
const PLACES: Readonly<Record<string, string>> = {
  topT: 'fig. 6, T',
  topP: 'fig. 12, P',
  topK: 'fig. 13, K',
  offset: 'offset of logits (not in the paper)',
}
const sweepRow = (parameter: string): readonly string[] => {
  const points: readonly Swept[] = sweeps[parameter]
  const shown = (method: 'duet' | 'duet-raw'): string =>
    points.map(point => `${point.value}: ${percent(point[method])}`).join(', ')
  return [PLACES[parameter] ?? parameter, shown('duet-raw'), shown('duet'), PUBLISHED_SWEEPS[parameter] ?? '']
}
/** Figures 7, 10 and 11 of DuetNet. */
const PUBLISHED_COSTS: Readonly<Record<string, string>> = { gac: '88-93', unite: '15-18', 'duet-raw': '2.5-2.8' }
const costRow = (method: string): readonly string[] => {
  const { steps, candidates, msPerStep } = costs[method]
  const shown = (value: number | undefined): string => value?.toFixed(2) ?? ''
  return [method, shown(candidates), PUBLISHED_COSTS[method] ?? '', shown(steps), shown(msPerStep)]
}
const { paths, singles: pathSingles, choice, parallelIndependentOfOrder: orderFree } = figures.paths
const structure = (name: string): readonly number[] =>
  paths
    .filter((path: { structure: string }) => path.structure === name)
    .map((path: { accuracy: number }) => path.accuracy)
interface PathEntry {
  readonly path: string
  readonly bySet: Readonly<Record<string, { readonly accuracy: number }>>
  readonly accuracy: number
  readonly ms: number
}
const share = (numbers: readonly { accuracy: number }[]): number => Math.max(...numbers.map(entry => entry.accuracy))
const generalisation: readonly {
  set: string
  n: number
  alone: number
  routing: Interval
  perSet: { accuracy: number }
  fixed: number
  oracleSingle: number
  oraclePair: number
}[] = figures.generalisation.rows
const average = (value: (entry: (typeof generalisation)[number]) => number): string =>
  percent(mean(generalisation.map(value)))

interface MutualEntry {
  readonly member: string
  readonly single: number
  readonly route: Interval
  readonly calls: number
  readonly mix: readonly number[]
  readonly bySet: readonly { readonly set: string; readonly alone: number; readonly reviewed?: number }[]
}
const mutualRows: readonly MutualEntry[] = figures.mutual.rows
const isReviewed = mutualRows.every(({ bySet }) => bySet.every(({ reviewed }) => reviewed !== undefined))
const reviews = isReviewed
  ? `With the shipped reviewer after each member (\`a > reviewer\`, which corrects or keeps), % right alone / reviewed:

${table(
  ['member', ...(mutualRows[0]?.bySet.map(({ set }) => set) ?? [])],
  mutualRows.map(({ member, bySet }) => [
    member,
    ...bySet.map(({ alone, reviewed = Number.NaN }) => `${percent(alone)} / ${percent(reviewed)}`),
  ]),
)}
`
  : 'No shipped model is trained to review.'

const page = `# The papers, section by section

What the AI-Model Network paper (arXiv 2606.27382) and its companions say, where it stands here, and what came out when it
was run. Files are in \`src/evaluation/paper/\`; figures come from one run of

\`\`\`
npm run bench:paper      # here: npx tsx benchmarks/paper/run.ts --questions ${facts['questions per set']}
\`\`\`

on ${facts.date.slice(0, 10)} (commit ${facts.commit}, seed ${facts.seed}, ${facts.duration}; ${facts.machine}) with these shipped
models: ${facts.models}. The whole report, with intervals and plots, is \`benchmarks/results/paper/report.html\`; this page is
written from it by \`npx tsx benchmarks/paper/page.ts\`. A second run with the same seed gives the same answers (the report
states their digest, a test runs it twice). Sets are small: read differences below ten points as weak.

Two things differ throughout. The papers use general chat models of 6 to 14 billion parameters; ours are specialists of
about one million, which know one field, answer in its form, and follow no instructions. And where the papers choose on
the reported questions (the best path per task, the best partner per set), ours choose on questions that are not
reported; the oracle choice stands beside it under that name.

## The network over fields

${table(
  [
    'claim',
    'file',
    'network',
    'best single',
    'its self-consistency, no fewer tokens',
    'random member',
    'oracle that knows the field',
  ],
  [
    [
      'routing without labels (2.2, service layer)',
      '`mixed.ts`, `bench paper mixed`',
      ...['network', 'best single', 'self-consistency', 'random member', 'per-field oracle'].map(name =>
        accuracy('mixed', name),
      ),
    ],
    [
      'questions no single model can answer (2.2, decomposition)',
      '`mixed.ts`, `bench paper composite`',
      ...['network', 'best single', 'self-consistency', 'random member'].map(name => accuracy('composite', name)),
      '',
    ],
  ],
)}

% right with 95 % interval; ${summary('mixed', 'network').n} and ${summary('composite', 'network').n} questions. The paper measured neither.

## AI-Model Network (vision paper)

${table(
  ['place', 'file, command', 'ours, %', 'theirs', 'what differs'],
  [
    [
      'fig. 5 accuracy',
      '`outcomes.ts`, `bench paper duetnet`',
      `all members right, kept: ${interval(split['duet-raw'].keptRight)} by DuetNet, ${interval(split.joint.keptRight)} by \`a + b\`; split, decided right: ${interval(split['duet-raw'].splitRight)} and ${interval(split.joint.splitRight)}`,
      'one example',
      'rates over all pairs and questions',
    ],
    [
      'fig. 6 stability',
      '`stability.ts`, `bench paper stability`',
      `network at online rate 1.0 / 0.5: ${both('stability', entry => entry.network.estimate)}, exact expectation ${both('stability', entry => entry.expected)}; single nodes at 0.5: ${Object.values<number>(rate('stability', 0.5).singles).map(percent).join(', ')}`,
      'network 58.8 / 56.1; singles at 0.5: 24.6 to 34.2',
      `${Object.keys(rate('stability', 1).singles).length} nodes with every specialist, by routing; ${figures.stability.questions} questions; who is offline refuses and failover finds another`,
    ],
    [
      'fig. 6 in its own form',
      'the same',
      `${Object.keys(rate('stability-fusion', 1).singles).join(', ')} by greedy token parallel: ${both('stability-fusion', entry => entry.network.estimate)}, exact expectation ${both('stability-fusion', entry => entry.expected)}`,
      'as above',
      'the member with the highest probability speaks, able or not',
    ],
    [
      'fig. 7 creativity',
      '`outcomes.ts`, `bench paper duetnet`',
      `all wrong, rescued: ${interval(split['duet-raw'].rescued)} by DuetNet, ${interval(split.joint.rescued)} by \`a + b\``,
      'one example',
      'rates over all pairs and questions',
    ],
    [
      'table 1 generalisation',
      '`generalisation.ts`, `bench paper generalisation`',
      'below',
      'below',
      'their columns are oracle choices on 50 questions per set',
    ],
  ],
)}

Table 1, % right; the base model is the generalist, the DuetNet partner is chosen on other questions:

${table(
  [
    'set (n)',
    'alone',
    'routing, no labels',
    'DuetNet, partner per set',
    'DuetNet, one partner',
    'oracle single',
    'oracle pair',
  ],
  [
    ...generalisation.map(entry => [
      `${entry.set} (${entry.n})`,
      percent(entry.alone),
      interval(entry.routing),
      percent(entry.perSet.accuracy),
      percent(entry.fixed),
      percent(entry.oracleSingle),
      percent(entry.oraclePair),
    ]),
    [
      'mean',
      average(e => e.alone),
      average(e => e.routing.estimate),
      average(e => e.perSet.accuracy),
      average(e => e.fixed),
      average(e => e.oracleSingle),
      average(e => e.oraclePair),
    ],
    ['published mean (SimpleMath, C-Eval, BoolQ, MMLU)', '77.5', '84.0', '85.5', '', '', ''],
  ],
)}

## DuetNet

\`duetnet.ts\`, systems in \`duetnet-systems.ts\`, rules in \`recipes.ts\`; \`modelnet bench paper duetnet\`. Members
${singles.join(', ')}; sets ${sets.join(', ')}; means over the sets, % right.

${table(
  ['place', ...METHODS, 'best single'],
  [
    ['table 5, pairs', ...byMethod(2)],
    ['published', '73.1', '74.1', '74.5', '54.8', '75.9', '', '', '71.9'],
    ['table 7, three models', ...byMethod(3)],
    ['published', '73.1', '71.5', '71.8', '59.3', '76.4', '', '', ''],
    ['table 7, four models', ...byMethod(4)],
    ['published', '82.5', '82.5', '78.0', '59.5', '83.5', '', '', ''],
  ],
)}

\`duet\` is DuetNet made invariant to a shift of a model's logits; \`joint\` is the product's \`a + b\`: exact bytes, members
weighed by what is known of their skill for the question. The published rules give every member the same voice, also the
one without the skill. Sessions report log-probabilities, so \`duet-raw\` and \`dk\` add 10 nats to stand for raw logits.

${table(
  ['place', 'ours, %', 'theirs'],
  [
    ['table 3, singles', singles.map(name => `${name} ${percent(score(name))}`).join(', '), '56, 77.5, 71.5, 45'],
    [
      'table 4, pairs by DuetNet as published',
      groups(2)
        .map(group => `${group.join(' & ')} ${percent(score(`${group.join(' & ')} duet-raw`))}`)
        .join(', '),
      '84.5, 62.5, 66.0, 82.5, 83.5, 76.5',
    ],
    [
      'table 6, self-consistency of one model (n = 3)',
      Object.entries<number>(consistency)
        .map(([name, value]) => `${name} ${percent(value)}`)
        .join(', '),
      '63.5, 86.5, 74.0, 53.5',
    ],
    [
      'fig. 8 (kept / decided / rescued)',
      ['keptRight', 'splitRight', 'rescued'].map(name => interval(split['duet-raw'][name])).join(' / '),
      '95 / 73 / 37',
    ],
    ['fig. 9 (similarity bias)', 'not measured', 'below 0.3'],
  ],
)}

Sweeps for ${swept.join(' & ')}, % right; the other parameters stay at T = 1, K = 10, P = 0.75:

${table(['place', 'DuetNet as published', 'shift-invariant', 'theirs, mean over pairs'], Object.keys(PLACES).map(sweepRow))}

Figures 7, 10 and 11, means over the pairs (times on a machine that may be shared; theirs: 2.0 to 2.5 ms over the slower model):

${table(['method', 'candidates per step', 'theirs', 'steps per answer', 'ms per step'], METHODS.map(costRow))}

## Serial and parallel inference

\`paths.ts\`, \`modelnet bench paper paths\`: all 24 paths of ${pathSingles.map((entry: { path: string }) => entry.path).join(', ')}. Tables 4, 8 and 9;
% right:

${table(
  ['structure', 'mean over six paths', 'best fixed path', 'published mean', 'published best fixed'],
  (
    [
      ['SI', 64.88, 75.33],
      ['PI', 68.17, 69],
      ['S2P', 65.78, 79],
      ['P2S', 69.89, 78],
    ] as const
  ).map(([name, published, fixed]) => [
    name,
    percent(mean(structure(name))),
    percent(Math.max(...structure(name))),
    published,
    fixed,
  ]),
)}

Tables 6, 7 and 10, all 24 paths (A-[B-C]: A first, then B and C together; [B-C]-A the other way round), % right and seconds a question:

${table(
  ['path', ...Object.keys(paths[0].bySet), 'mean', 'seconds'],
  paths.map((entry: PathEntry) => [
    entry.path,
    ...Object.values(entry.bySet).map(({ accuracy: right }) => percent(right)),
    percent(entry.accuracy),
    (entry.ms / 1000).toFixed(2),
  ]),
)}

Published means over their three tasks: SI 75.33, 65.33, 60, 60.33, 58.33, 70; PI 69, 68, 67.67, 67.33, 69, 68; S2P 79, 76.67, 51.67,
53.33, 65.33, 68.67; P2S 68, 64, 78, 77.67, 66, 65.67, in 26 to 83 seconds a question.

Best single ${percent(share(pathSingles))} % (published 75.67). The path chosen on other questions, ${choice.path}, has ${percent(choice.pathAccuracy)} %; the single model
chosen the same way, ${choice.single}, ${percent(choice.singleAccuracy)} %. Parallel inference ${orderFree ? 'gives the same text in all six orders' : 'gives different texts in different orders'}; the
paper's orders differ by up to five points. A second stage is an instruction to check an answer, which models of this
size cannot follow: they are asked the bare question (their tag \`prompt:question\`), so that the last stage answers as
it would alone. Judge SI, S2P and P2S on models that can (\`runBenchPaper\` with \`network\`). Table 5 (what a step
waits for) is measured in \`benchmarks/token-level/\`.

## Mutual evaluation and dynamic routing

\`mutual.ts\`, graph in \`collaboration-graph.ts\` (the published matrix gives the published graph, in a test);
\`modelnet bench paper mutual\`. Instead of a grading prompt a grader compares how likely it finds an answer with how
likely it finds its own.

${table(
  ['first hop', 'who may improve it', 'alone, %', 'route, %', 'calls', 'right answers by 0, 1, 2, 3 hops, % of all'],
  mutualRows.map(entry => [
    entry.member,
    figures.mutual.graph.collaborators[entry.member]?.join(', ') || 'nobody',
    percent(entry.single),
    interval(entry.route),
    entry.calls.toFixed(2),
    entry.mix.map(percent).join(', '),
  ]),
)}

${reviews}

Published (CaLM Lite): proposed routes 61.7 and 60.9, others 54.6 and 55.0, best single 61.1. A specialist that is sure of
itself outside its field grades strictly and so counts as one who improves others: grades alone are no evidence of skill.
Not run: OMGEval, Flames and CaLM, which need a judge outside the pool; OMGEval's files can be read (\`datasets/omgeval.ts\`).

## The models

Held-out accuracy through the product's engine, \`npx tsx benchmarks/specialists/measure.ts\`, ${specialists.date.slice(0, 10)}, commit ${specialists.commit}:

${table(
  ['model', 'n', 'right, % [95 %]'],
  specialists.results.map((entry: Summary) => [entry.name, entry.n, interval(entry.accuracy)]),
)}
`
writeFileSync(target, page)
