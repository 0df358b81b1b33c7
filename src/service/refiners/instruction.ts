import { z } from 'zod'
import type { CallOptions, GenerateRequest } from '../../resource/index.ts'
import type { SkillRefiner } from '../refiner.ts'

/** Characters of a question that are shown: the first say what it is about. */
const MAX_SHOWN = 2000
const MAX_SKILLS = 3
/** What a skill that the model names is worth; the rest says that models err. */
const TRUST = 0.8

/**
 * Asks an instruction model which of the network's skills a question needs, under a JSON Schema. What is not exactly the
 * JSON that was asked for, with skills that exist, is no answer.
 */
export function createInstructionRefiner(parts: {
  readonly model: string
  readonly ask: (request: GenerateRequest, options: CallOptions) => Promise<string>
  /** Tags to choose from, such as `skill:geography`; read at every question, as models come and go. */
  readonly skills: () => readonly string[]
}): SkillRefiner {
  const { model, ask, skills } = parts
  return {
    name: `an instruction to ${model}`,
    async skillsOf(question, options) {
      const tags = skills()
      if (tags.length < 2) return undefined
      const text = await ask(toRequest(question, tags), options)
      const named = readSkills(text, tags)
      return named?.map(tag => ({ tag, probability: TRUST / named.length }))
    },
  }
}

function toRequest(question: string, tags: readonly string[]): GenerateRequest {
  const content =
    `Which of these skills does the question between the lines need? ${tags.map(nameOf).join(', ')}.\n` +
    `Answer with JSON only, such as {"skills":["${nameOf(tags[0] ?? '')}"]}, and do not answer the question.\n` +
    `-----\n${question.slice(0, MAX_SHOWN)}\n-----`
  return {
    messages: [{ role: 'user', content }],
    maxTokens: 64,
    jsonSchema: {
      type: 'object',
      properties: {
        skills: { type: 'array', items: { enum: tags.map(nameOf) }, minItems: 1, maxItems: MAX_SKILLS },
      },
      required: ['skills'],
      additionalProperties: false,
    },
  }
}

const AnswerSchema = z.strictObject({ skills: z.array(z.string()).min(1).max(MAX_SKILLS) })

function readSkills(text: string, tags: readonly string[]): readonly string[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined // a model that says something else abstains
  }
  const answer = AnswerSchema.safeParse(value)
  if (!answer.success) return undefined
  const found = answer.data.skills.map(name => tags.find(tag => nameOf(tag) === name))
  return found.every(tag => tag !== undefined) ? [...new Set(found)] : undefined
}

const nameOf = (tag: string): string => tag.replace(/^skill:/, '')
