import type { Task, TaskAnalyser } from '../task.ts'
import { answerFormat } from './answer-format.ts'
import { answerLength, answerModality } from './answer-shape.ts'
import { detectLanguage } from './language.ts'
import { refineTags } from './operations.ts'
import { createQuestionFeatures } from './question-features.ts'
import type { SoftmaxModel } from './softmax-classifier.ts'
import { createSoftmaxClassifier } from './softmax-classifier.ts'
import { splitWords } from './text-features.ts'
import { createVocabulary } from './vocabulary.ts'
import { TASK_MODEL } from './weights.ts'

/** A trained task classifier: label weights, and which words its training questions used. */
export interface TaskModel extends SoftmaxModel {
  /** base64 of a bit set of hashed words. */
  readonly vocabulary: string
}

export interface TaskAnalyserOptions {
  /** @default the model shipped with this package */
  readonly model?: TaskModel
  /** Tags less probable than this are left out. @default 0.02 */
  readonly minProbability?: number
}

/** What stands for everything that is none of the known skills; tasks of this label have confidence near 0. */
const GENERAL = 'skill:general'
const PLANNING = 'skill:planning'

/**
 * Task analysis without asking a model (AI-ModelNet 2.2, step 2): a softmax classifier over hashed n-grams and themes
 * names the skills, rules name language, format and difficulty. Tags set by the user win.
 */
export function createTaskAnalyser(options: TaskAnalyserOptions = {}): TaskAnalyser {
  const { model = TASK_MODEL, minProbability = 0.02 } = options
  const classifier = createSoftmaxClassifier(model)
  const features = createQuestionFeatures()
  const vocabulary = createVocabulary(Buffer.from(model.vocabulary, 'base64'))

  return {
    analyse({ messages, tags }) {
      const text = questionOf(messages)
      const probabilities = classifier.predict(features(text))
      const found = classifier.labels
        .map((tag, index) => ({ tag, probability: probabilities[index] ?? 0 }))
        .filter(({ probability }) => probability >= minProbability)
        .sort((a, b) => b.probability - a.probability)
      const composite = found[0]?.tag === PLANNING
      const known = knownShare(splitWords(text), vocabulary.has)
      const skill = found.find(({ tag }) => tag !== GENERAL)
      const own = tags?.map(tag => ({ tag: tag.includes(':') ? tag : `skill:${tag}`, probability: 1 }))
      const format = answerFormat(text)
      return {
        tags: refineTags(own && own.length > 0 ? own : found, text),
        language: detectLanguage(text),
        difficulty: difficultyOf(text, composite),
        format,
        modality: answerModality(text),
        length: answerLength(text, format),
        composite,
        confidence: own && own.length > 0 ? 1 : (skill?.probability ?? 0) * Math.min(1, known / ENOUGH_KNOWN),
      }
    },
  }
}

/** Questions are full of names; from this share of known words on, the words count as known. */
const ENOUGH_KNOWN = 0.6

/** The last question of the user, with the one before it where the last says little by itself. */
function questionOf(messages: Task['messages']): string {
  const asked = messages.filter(({ role }) => role === 'user').map(({ content }) => content)
  const last = asked.at(-1) ?? ''
  const before = asked.at(-2)
  const short = last.trim().split(/\s+/).length <= 3 && !/\d/.test(last) && !/\p{Script=Han}/u.test(last)
  return before !== undefined && short ? `${before}\n${last}` : last
}

/** Share of the words that training questions also used; numbers and marks are known to all. */
function knownShare(words: readonly string[], has: (word: string) => boolean): number {
  const spelled = words.filter(word => /^\p{L}/u.test(word))
  if (spelled.length === 0) return words.length > 0 ? 1 : 0
  return spelled.filter(has).length / spelled.length
}

/** By what makes questions hard for small models: parts, digits, operators, length. */
function difficultyOf(text: string, composite: boolean): number {
  const head = text.slice(0, 4000)
  const digits = Math.max(0, ...(head.match(/\d+/g) ?? []).map(number => number.length))
  const operators = head.match(/[-+*/×÷]\s*\d|\b(plus|minus|times|divided|then|and|not|if)\b/gi)?.length ?? 0
  const sentences = head.match(/[.?!。？！]/g)?.length ?? 0
  const raw =
    -1.8 +
    (composite ? 1.6 : 0) +
    0.35 * Math.min(6, digits) +
    0.3 * Math.min(6, operators) +
    0.2 * Math.min(8, sentences) +
    head.length / 800
  return 1 / (1 + Math.exp(-raw))
}
