/**
 * Trains the task classifier that ships in `src/service/analysis/weights.ts`, from generated questions only.
 *
 *     npx tsx benchmarks/routing/analyser/train.ts
 */
import { writeFileSync } from 'node:fs'
import { createQuestionFeatures, QUESTION_DIMENSIONS } from '../../../src/service/analysis/question-features.ts'
import { trainSoftmax } from '../../../src/service/analysis/softmax-classifier.ts'
import { splitWords } from '../../../src/service/analysis/text-features.ts'
import { createVocabulary } from '../../../src/service/analysis/vocabulary.ts'
import { createRandom } from '../../../src/utils/random.ts'
import { generateQuestions } from './questions.ts'

const QUESTIONS = 24_000
const target = new URL('../../../src/service/analysis/weights.ts', import.meta.url)

const questions = generateQuestions(QUESTIONS, createRandom('task-classifier-1'))
const features = createQuestionFeatures()
const model = trainSoftmax(
  questions.map(({ question, label }) => ({ features: features(question), label })),
  { dimensions: QUESTION_DIMENSIONS },
)

const counts = new Map<string, number>()
for (const { question } of questions)
  for (const word of new Set(splitWords(question))) counts.set(word, (counts.get(word) ?? 0) + 1)
const vocabulary = createVocabulary()
for (const [word, count] of counts) if (count >= 4) vocabulary.add(word)

const shipped = {
  ...model,
  bias: model.bias.map(value => Number(value.toFixed(5))),
  vocabulary: Buffer.from(vocabulary.bits).toString('base64'),
}
writeFileSync(
  target,
  `import type { TaskModel } from './task-analyser.ts'

/** Made by \`npx tsx benchmarks/routing/analyser/train.ts\`; not edited by hand. */
export const TASK_MODEL: TaskModel = JSON.parse(
  '${JSON.stringify(shipped)}',
)
`,
)
console.log(`${questions.length} questions, ${model.labels.length} labels -> ${target.pathname}`)
