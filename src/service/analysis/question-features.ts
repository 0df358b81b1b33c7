import type { SparseVector, TextFeatures } from './text-features.ts'
import { createTextFeatures, normalise } from './text-features.ts'

/** Buckets for words and their pieces; what follows them is one bucket per structural feature. */
const HASHED = 8192

/** Buckets for the shape of a text: its length, and which themes it touches, alone and in pairs. */
const STRUCTURAL = 128

export const QUESTION_DIMENSIONS: number = HASHED + STRUCTURAL

/**
 * Words that name a theme. One theme is an ordinary question; two of different themes make it likely to be composite,
 * which sums over single words cannot see.
 */
const THEMES: readonly RegExp[] = [
  /\b(letters?|vowels?|consonants?|spell(ed)?|backwards|reversed?|alphabetical(ly)?|plural|past tense|word|palindrome|longer|syllables?)\b|字母|复数|过去式|单词/u,
  /\b(capital|country|countries|city|cities|currency|language|continent|money)\b|首都|国家|城市|货币|语言|洲/u,
  /\b(atomic|element|symbol|protons?|periodic|chemical|group of|period of)\b|原子|元素|周期/u,
  /\b(days?|months?|weekday|(mon|tues|wednes|thurs|fri|satur|sun)day|leap|january|february|march|april|june|july|august|september|october|november|december)\b|星期|天|月/u,
  /\b(convert|kilomet|centimet|met(er|re)s?|kilograms?|grams?|lit(er|re)s?|hours?|minutes?|seconds?|inch(es)?|feet|yards?|ounces?|pounds?|dozens?)\b|米|克|升|小时/u,
  /\b(plus|minus|times|sum|difference|product|multipl\w+|divided|add(ed)?|subtract|larger|greater|smaller|double|twice|half|total|then)\b|[+*×÷]|加|减|乘|除/u,
  /\b(answer|correct|right|grade|review|check)\b|答案|正确/u,
]

/** What the task classifier sees of a text: hashed words, their pairs and pieces, and its structure; unit length. */
export function createQuestionFeatures(): TextFeatures {
  const words = createTextFeatures({ dimensions: HASHED, characters: [3, 4], characterWeight: 0.4, maxWords: 240 })
  return text => {
    const hashed = words(text)
    normalise(hashed)
    const structure = structureOf(text)
    const indices = new Int32Array(hashed.indices.length + structure.length)
    const values = new Float32Array(indices.length).fill(STRUCTURE_WEIGHT)
    indices.set(hashed.indices)
    values.set(hashed.values)
    indices.set(structure, hashed.indices.length)
    return { indices, values } satisfies SparseVector
  }
}

/** Each about as loud as two words of a question of ten. */
const STRUCTURE_WEIGHT = 0.3

function structureOf(text: string): readonly number[] {
  const head = text.length > 2000 ? text.slice(0, 2000).toLowerCase() : text.toLowerCase()
  const present = THEMES.flatMap((theme, index) => (theme.test(head) ? [index] : []))
  const pairs = present.flatMap((first, at) => present.slice(at + 1).map(second => 32 + first * THEMES.length + second))
  const links = Math.min(4, head.match(/\bof\b|\bwhose\b|的/gu)?.length ?? 0)
  const length = Math.min(11, Math.floor(Math.log2(1 + head.length) * 1.2))
  return [...present, 8 + Math.min(4, present.length), 13 + links, 18 + length, ...pairs].map(bucket => HASHED + bucket)
}
