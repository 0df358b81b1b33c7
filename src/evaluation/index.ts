/**
 * Measures answers: data sets, graders, runs with checkpoints, baselines, statistics, reports, and the experiments of
 * the AI-ModelNet paper. Uses what the other layers export.
 *
 * @example
 * const { summary, text } = await runBenchAsk({ url: 'http://127.0.0.1:11434', questions: 'questions.jsonl' })
 */
export {
  bestMember,
  oracleBaseline,
  randomBaseline,
  type SampledSystem,
  samplesAtEqualBudget,
  selfConsistency,
} from './baselines.ts'
export { type BenchAskOptions, type BenchAskResult, type BenchAskRow, runBenchAsk } from './bench-ask.ts'
export { loadBoolq } from './datasets/boolq.ts'
export { loadCEval } from './datasets/c-eval.ts'
export { compositeQuestions, type Fact, factsOf } from './datasets/composite.ts'
export { COMPUTED_FIELDS, type ComputedField, fieldQuestions } from './datasets/fields.ts'
export { loadGsm8k } from './datasets/gsm8k.ts'
export { loadJsonl } from './datasets/jsonl.ts'
export { loadMath } from './datasets/math.ts'
export { loadMmlu } from './datasets/mmlu.ts'
export { loadOmgeval, type OpenQuestion } from './datasets/omgeval.ts'
export { isHeldOut, sample, splitForChoice } from './datasets/sample.ts'
export { simpleMath } from './datasets/simple-math.ts'
export { type GatewayOptions, gatewaySystem } from './gateway-system.ts'
export type { Grade, GradeOptions, Grader, Verdict } from './graders/grader.ts'
export { GRADER_NAMES, type GraderName, graderOf, guessGrader } from './graders.ts'
export { modelSystem } from './model-system.ts'
export type { PaperModel } from './paper/bench.ts'
export type { PaperPart } from './paper/parts.ts'
export { type BenchPaperOptions, type BenchPaperResult, runBenchPaper } from './paper/run-bench-paper.ts'
export type { Question } from './question.ts'
export { terminalReport } from './report/table.ts'
export type { RoutingBenchOptions, RoutingBenchResult, RoutingFigures } from './routing/routing-bench.ts'
export { formatRoutingBench, runRoutingBench } from './routing/routing-bench.ts'
export { type EvaluateOptions, type Evaluation, evaluate, type Progress, type Row } from './run.ts'
export {
  expectedCalibrationError,
  type Interval,
  mcnemarExact,
  pairedBootstrap,
  percentile,
  standardDeviation,
  wilson,
} from './statistics.ts'
export { type Comparison, compare, rowsOf, type SystemSummary, summarise, summariseAll } from './summary.ts'
export type { AskOptions, System, SystemAnswer } from './system.ts'
