import type { GenerateRequest, LanguageModel } from '../resource/index.ts'
import type { SampledSystem } from './baselines.ts'
import type { Question } from './question.ts'
import type { AskOptions, SystemAnswer } from './system.ts'

/** A model asked directly: greedy, or for a sample. What streams before `finish` is the answer, reasoning left out. */
export function modelSystem(model: LanguageModel, name: string = model.card.id): SampledSystem {
  const ask = async (
    question: Question,
    options: AskOptions & { readonly temperature?: number },
  ): Promise<SystemAnswer> => {
    const started = performance.now()
    const request: GenerateRequest = {
      messages: [{ role: 'user', content: question.question }],
      temperature: options.temperature ?? 0,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    }
    let text = ''
    let usage = { promptTokens: 0, completionTokens: 0 }
    for await (const part of model.generate(request, options.signal ? { signal: options.signal } : {})) {
      if (part.type === 'text-delta') text += part.text
      else if (part.type === 'finish') usage = part.usage
    }
    return { text, usage, ms: performance.now() - started, calls: 1, members: [`${model.card.id}@${model.card.node}`] }
  }
  return { name, answer: (question, options = {}) => ask(question, options), sample: ask }
}
