import type { Analysis } from '../task.ts'

/** What asks for something else than text, by the thing that is to be made; the first that matches counts. */
const MODALITIES: readonly (readonly [RegExp, Analysis['modality']])[] = [
  [
    /\b(draw|paint|sketch|generate|create|make|design)\b.{0,40}\b(picture|image|photo|logo|drawing|illustration|icon)\b/i,
    'image',
  ],
  [/(画|绘制|生成|设计).{0,12}(图|图片|图像|照片|插画|标志)/u, 'image'],
  [
    /\b(record|compose|generate|create|make)\b.{0,40}\b(audio|song|melody|music|speech|sound)\b|\bread .{0,40}aloud\b/i,
    'audio',
  ],
  [/(生成|录制|创作|朗读).{0,12}(音频|语音|音乐|歌曲|旋律)|朗读/u, 'audio'],
  [/\b(generate|create|make|film|animate)\b.{0,40}\b(video|film|movie|animation)\b/i, 'video'],
  [/(生成|制作|拍摄).{0,12}(视频|动画|影片)/u, 'video'],
]

/** Tokens of a usual answer by its form: measured on the shipped specialists for the short ones. */
const TOKENS: Readonly<Record<Analysis['format'], number>> = {
  number: 20,
  choice: 10,
  boolean: 5,
  json: 80,
  code: 200,
  text: 60,
}
const TOKENS_OF_ESSAY = 600
/** Tokens of an English word, and of a Chinese character, in common vocabularies. */
const TOKENS_A_WORD = 1.3
const TOKENS_A_CHARACTER = 0.8
const MAX_TOKENS = 8000
const MAX_READ = 2000

/** What the answer is made of. Our models make text; others may join that do not. */
export function answerModality(text: string): Analysis['modality'] {
  const head = text.slice(0, MAX_READ)
  return MODALITIES.find(([pattern]) => pattern.test(head))?.[1] ?? 'text'
}

/** Tokens of the answer: as many as the question names, else those of its form. */
export function answerLength(text: string, format: Analysis['format']): number {
  const head = text.slice(0, MAX_READ)
  const words = /(\d{1,5})[ -]?words?\b/i.exec(head)?.[1]
  const characters = /(\d{1,5})\s*字/u.exec(head)?.[1]
  if (words !== undefined) return Math.min(MAX_TOKENS, Math.ceil(Number(words) * TOKENS_A_WORD))
  if (characters !== undefined) return Math.min(MAX_TOKENS, Math.ceil(Number(characters) * TOKENS_A_CHARACTER))
  if (/\b(essay|article|report|story|in detail|step by step)\b|作文|文章|报告|故事|详细/iu.test(head))
    return TOKENS_OF_ESSAY
  return TOKENS[format]
}
