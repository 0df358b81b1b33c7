import { describe, expect, it } from 'vitest'
import type { AnswerFormat } from './key.ts'
import { finalAnswer, keyOf } from './key.ts'
import { createReasoningFilter, withoutReasoning } from './reasoning.ts'
import { parseGrade, parseVerdict } from './verdict.ts'

describe('the key of an answer', () => {
  it.each<[AnswerFormat, string, string | undefined]>([
    ['number', '(8+7=15, 5+2+1=8) 85', '85'],
    ['number', '85', '85'],
    ['number', 'The total is $1,234.50.', '1234.5'],
    ['number', 'First 3, then 4. The answer is 12 apples, not 13', '12'],
    ['number', '#### 42', '42'],
    ['number', 'so \\boxed{3/4}', '0.75'],
    ['number', '50%', '50'],
    ['number', '-0', '0'],
    ['number', '−7', '-7'],
    ['number', '答案是 １２', '12'],
    ['number', 'I do not know', undefined],
    ['number', '', undefined],
    ['choice', 'C', 'C'],
    ['choice', '(c)', 'C'],
    ['choice', 'C. because A is wrong', 'C'],
    ['choice', 'The answer is (B).', 'B'],
    ['choice', 'The correct answer is B) mitosis', 'B'],
    ['choice', '答案是D', 'D'],
    ['choice', 'A good question. Either B or C', undefined],
    ['choice', 'I think so', undefined],
    ['boolean', 'No, it is not.', 'no'],
    ['boolean', 'True', 'yes'],
    ['json', 'Here: {"b": 1, "a": [2, {"z": null}]}', '{"a":[2,{"z":null}],"b":1}'],
    ['json', '```json\n{"a":1}\n```', '{"a":1}'],
    ['json', '{broken', undefined],
    ['code', '```js\nlet a  = 1\n```', 'let a = 1'],
    ['text', 'The Paris.', 'paris'],
    ['text', 'Paris!', 'paris'],
    ['text', 'Well, the answer is: Paris', 'paris'],
    ['text', '!!!', undefined],
    ['text', '<think>Rome?</think>Paris', 'paris'],
  ])('reads a %s from %j', (format, text, key) => {
    expect(keyOf(text, format)).toBe(key)
  })

  it.each([
    ['(1+1=2) 2', '2'],
    ['(3*(4+5)=27) 27', '27'],
    ['(a) because of this', 'because of this'],
    ['(all of it)', '(all of it)'],
    ['Paris (the capital)', 'Paris (the capital)'],
    ['(unclosed 5', '(unclosed 5'],
  ])('takes worked steps off %j', (text, answer) => {
    expect(finalAnswer(text)).toBe(answer)
  })
})

describe('hidden reasoning', () => {
  it.each([
    ['<think>a</think>b', 'b'],
    ['<think>never closed', ''],
    ['template opened it</think>b', 'b'],
    ['<THINKING attr="1">x</THINKING>b', 'b'],
    ['a < b and c > d', 'a < b and c > d'],
    ['◁think▷a◁/think▷b', 'b'],
    ['x <thin', 'x <thin'],
    ['one <think>a</think> two <think>b</think> three', 'one  two  three'],
  ])('is taken out of %j, whatever the pieces', (text, shown) => {
    expect(withoutReasoning(text)).toBe(shown)
    for (const size of [1, 2, 3, 7]) {
      const filter = createReasoningFilter()
      let visible = ''
      for (let index = 0; index < text.length; index += size) {
        const piece = filter.push(text.slice(index, index + size))
        visible = (piece.reset ? '' : visible) + piece.text
      }
      expect((visible + filter.end()).trim()).toBe(shown)
    }
  })
})

describe('a verdict', () => {
  it.each([
    [
      'yes',
      [
        'Approve',
        'yes.',
        'I accept this answer',
        'The answer is correct.',
        'not wrong',
        'No errors found.',
        '认可',
        '没有错误',
        '正确',
        'Verdict: approve',
        '{"verdict": "approve"}',
        'Ja, richtig',
        'Oui',
        'はい',
        '没问题',
        "I don't see any mistakes",
        'Yes, although it is wrong about the date',
      ],
    ],
    [
      'no',
      [
        'I do not accept',
        'unacceptable',
        'not satisfied',
        'Disapprove',
        'no',
        '不认可',
        '不同意',
        '不正确',
        'This is not a correct answer',
        'The answer is incorrect',
        "I can't approve this",
        'Verdict: reject',
        '{"verdict":"reject","reason":"x"}',
        'Nein',
        'false',
        'nicht korrekt',
        'いいえ',
        '不对',
        '拒绝',
        'I cannot in good conscience approve',
      ],
    ],
    [
      undefined,
      [
        '',
        'maybe',
        'I do not know whether this is correct',
        '无法判断是否正确',
        'ok but wrong',
        'hmm',
        '42',
        'It is correct in part and wrong in part',
        '<think>',
      ],
    ],
  ] as const)('%s is read in other words and languages', (verdict, texts) => {
    for (const text of texts) expect([text, parseVerdict(text)]).toEqual([text, verdict])
  })
})

describe('a grade', () => {
  it.each([
    ['GRADE: C', 'C'],
    ['Grade: C', 'C'],
    ['C.', 'C'],
    ['(C)', 'C'],
    ['**B**', 'B'],
    ['评分：B', 'B'],
    ['等级为A', 'A'],
    ['a', 'A'],
    ["I'd give it a B.", 'B'],
    ['A good answer deserves B', 'B'],
    ['A', 'A'],
    ['The grade is A', 'A'],
    ['A or B', undefined],
    ['Great', undefined],
    ['', undefined],
    ['D', undefined],
    ['A bad answer', undefined],
  ])('is read from %j', (text, grade) => {
    expect(parseGrade(text, ['A', 'B', 'C'])).toBe(grade)
  })
})
