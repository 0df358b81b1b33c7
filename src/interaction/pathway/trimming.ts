import type { ChatMessage } from '../../protocol/index.ts'

const OMITTED = '\n[… left out …]\n'

/**
 * Shortens a conversation to so many characters: first the oldest turns go, then, with `cutTexts`, the middle of the
 * longest text, until it fits. System messages and the last message stay. A user's own question is never cut: half of it
 * would be another question. `removed` counts characters.
 */
export function fitMessages(
  messages: readonly ChatMessage[],
  maxCharacters: number,
  cutTexts: boolean,
): { readonly messages: readonly ChatMessage[]; readonly removed: number } {
  let kept = [...messages]
  let removed = 0
  for (let index = 0; index < kept.length - 1 && countCharacters(kept) > maxCharacters; ) {
    const message = kept[index]
    if (!message || message.role === 'system') index++
    else {
      removed += message.content.length
      kept = kept.toSpliced(index, 1)
    }
  }
  if (!cutTexts) return { messages: kept, removed }
  for (let over = countCharacters(kept) - maxCharacters; over > 0; over = countCharacters(kept) - maxCharacters) {
    const longest = kept.reduce(
      (best, { content }, index) => (content.length > (kept[best]?.content.length ?? 0) ? index : best),
      0,
    )
    const message = kept[longest]
    if (!message || message.content.length < 3 * OMITTED.length) break
    const cut = Math.min(over + OMITTED.length, Math.floor(message.content.length / 2))
    const start = Math.floor((message.content.length - cut) / 2)
    const content = message.content.slice(0, start) + OMITTED + message.content.slice(start + cut)
    kept[longest] = { role: message.role, content }
    removed += cut
  }
  return { messages: kept, removed }
}

export const countCharacters = (messages: readonly ChatMessage[]): number =>
  messages.reduce((sum, { content }) => sum + content.length, 0)

/** Tokens a conversation takes, roughly (3 characters each): for money that is not yet spent. */
export const estimateTokens = (messages: readonly ChatMessage[]): number => Math.ceil(countCharacters(messages) / 3)
