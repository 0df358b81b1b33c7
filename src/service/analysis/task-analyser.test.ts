import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Analysis } from '../task.ts'
import { FINER_TAGS } from './operations.ts'
import { createTaskAnalyser } from './task-analyser.ts'

const analyser = createTaskAnalyser()
const ask = (...contents: string[]): Analysis =>
  analyser.analyse({ messages: contents.map(content => ({ role: 'user', content })) })

describe('task analysis', () => {
  it.each([
    ['What is 17 plus 25?', 'skill:arithmetic'],
    ['348*12', 'skill:arithmetic'],
    ['Zoe has 3 cats and Max has 4 cats. How many cats do they have together?', 'skill:arithmetic'],
    ['capital of Kenya', 'skill:geography'],
    ['what do people in Latvia pay with', 'skill:geography'],
    ['give me the atomic number of ytterbium', 'skill:chemistry'],
    ['What is the plural of child?', 'skill:words'],
    ['how many letters does lighthouse have', 'skill:words'],
    ['If today is Monday, what day is it in 100 days?', 'skill:calendar'],
    ['was 1900 a leap year', 'skill:calendar'],
    ['How many grams are 3 kg?', 'skill:units'],
    ['Is Tom taller than Ben if Ben is shorter than Tom?', 'skill:logic'],
    ['All cats are robots. Ida is one of the cats. Is Ida one of the robots?', 'skill:logic'],
    ['Question: What is 2 plus 2? Answer: 5 Is this right?', 'skill:review'],
    ['write a poem about the sea', 'skill:general'],
    ['法国的首都是哪里', 'skill:geography'],
    ['铁的原子序数是多少？', 'skill:chemistry'],
  ])('names the skill of "%s"', (question, tag) => {
    expect(ask(question).tags[0]?.tag).toBe(tag)
  })

  it.each([
    'the atomic number of iron plus the number of letters in the capital of France',
    'What is the last letter of the currency of Japan?',
    'how many vowels are in the name of the largest city of Peru?',
    'what day comes N days after Monday, where N is the atomic number of neon',
    'what is the capital of france and how many letters does it have',
  ])('sends the composite question "%s" to the planner', question => {
    expect(ask(question)).toMatchObject({
      composite: true,
      tags: [{ tag: 'skill:planning' }, ...ask(question).tags.slice(1)],
    })
  })

  it.each([
    ['What is 3 + 4?', 'number'],
    ['Is Paris in France?', 'boolean'],
    ['Tom is in the park. Is Tom in the park?', 'boolean'],
    ['What is the plural of box?', 'text'],
    ['Pick one. A) red B) blue', 'choice'],
    ['write a python function that sorts', 'code'],
    ['List three cities as JSON', 'json'],
  ] as const)('sees the form of the answer to "%s"', (question, format) => {
    expect(ask(question).format).toBe(format)
  })

  it.each([
    ['draw a picture of a red house', 'image'],
    ['请画一张猫的图片', 'image'],
    ['generate a short video of the sea', 'video'],
    ['朗读这首诗', 'audio'],
    ['describe a picture of a house', 'text'],
    ['法国的首都是哪里', 'text'],
  ] as const)('sees what the answer to "%s" is made of', (question, modality) => {
    expect(ask(question).modality).toBe(modality)
  })

  it.each([
    ['Is Paris in France?', 5],
    ['Write 200 words about the sea.', 260],
    ['写一篇500字的作文', 400],
    ['Tell me the story of Troy in detail.', 600],
    ['Write 99999 words.', 8000],
  ])('expects an answer to "%s" of %i tokens', (question, tokens) => {
    expect(ask(question).length).toBe(tokens)
  })

  it.each([
    ['How many letters are in this word?', 'en'],
    ['单词 apple 有多少个字母？', 'zh'],
    ['Quelle est la capitale de la France ?', 'fr'],
    ['Wie viele Tage hat der Monat Juni?', 'de'],
    ['¿Cuál es la capital de los Países Bajos?', 'es'],
    ['日本の首都はどこですか', 'ja'],
    ['12 + 7', 'en'],
  ])('tells the language of "%s"', (question, language) => {
    expect(ask(question).language).toBe(language)
  })

  it('is sure of what it knows and unsure of what it does not', () => {
    expect(ask('What is the capital of Poland?').confidence).toBeGreaterThan(0.8)
    for (const question of [
      'Who painted Guernica?',
      'asdf qwer zxcv',
      'fix this bug: TypeError: undefined is not a function',
      '',
    ])
      expect(ask(question).confidence).toBeLessThan(0.2)
  })

  it('lets the tags of the user win', () => {
    const { tags, confidence } = analyser.analyse({ messages: [{ role: 'user', content: '2+2' }], tags: ['words'] })
    expect([tags, confidence]).toEqual([[{ tag: 'skill:words', probability: 1 }], 1])
  })

  it('reads the question before where the last one says little', () => {
    expect(ask('What is the capital of Peru?', 'and Chile?').tags[0]?.tag).toBe('skill:geography')
  })

  it('takes composite questions for harder', () => {
    expect(ask('What is the number of letters in the capital of Peru plus 17?').difficulty).toBeGreaterThan(
      ask('What is the capital of Peru?').difficulty,
    )
  })

  it('gives probabilities for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), text => {
        const { tags, difficulty, confidence } = ask(text)
        const coarse = tags.filter(({ tag }) => FINER_TAGS[tag] === undefined)
        const sum = coarse.reduce((total, { probability }) => total + probability, 0)
        expect(sum <= 1 + 1e-9 && difficulty >= 0 && difficulty <= 1 && confidence >= 0 && confidence <= 1).toBe(true)
      }),
    )
  })
})
