import type { CallOptions, GenerateRequest, LanguageModel } from './language-model.ts'

/** Tokens a model may think before a joint answer at most (spec A0), whatever its context. */
const MOST_THINKING_TOKENS = 8192
/** The share of what is left of its context that it may fill with thinking: the answer needs room as well. */
const THINKING_SHARE = 0.25

/** Tokens a thinking model may think before a joint-decoding session begins, where so many are left of its context. */
export const thinkingBudget = (room: number): number =>
  Math.max(1, Math.min(MOST_THINKING_TOKENS, Math.floor(room * THINKING_SHARE)))

/**
 * What a model thinks before it answers, without the marks; empty when it answers at once. A thinking model does this in
 * its own context before it takes part in a joint answer: its thinking is no part of the text and never votes. The model
 * is stopped at the first text of its answer, and after `maxTokens`.
 */
export async function thinkFirst(
  model: Pick<LanguageModel, 'generate'>,
  request: GenerateRequest,
  options: CallOptions & { readonly maxTokens: number },
): Promise<string> {
  const { maxTokens, ...call } = options
  let thought = ''
  for await (const part of model.generate({ messages: request.messages, maxTokens }, call)) {
    if (part.type === 'reasoning-delta') thought += part.text
    else break
  }
  return thought.trim()
}

/** A thought as the marks of its model enclose it, before the answer; `opened`: the prompt has the first mark. */
export const enclosed = (thought: string, opened: boolean): string =>
  `${opened ? '' : '<think>\n'}${thought}\n</think>\n\n`
