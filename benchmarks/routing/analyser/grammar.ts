import type { Random } from '../../../src/utils/random.ts'

/** Named lists and named makers of text that a pattern may refer to. */
export type Slots = Readonly<Record<string, readonly string[] | ((random: Random) => string)>>

export const pick = <T>(random: Random, list: readonly T[]): T => {
  const chosen = list[Math.floor(random.next() * list.length)]
  if (chosen === undefined) throw new RangeError('expected a list that is not empty')
  return chosen
}

/**
 * One random text of a pattern: `[a|b]` is a choice (also of nothing, also nested), `{name}` a slot, whose own text may
 * again hold choices and slots.
 */
export function expand(pattern: string, slots: Slots, random: Random): string {
  let text = pattern
  for (let round = 0; round < 40; round++) {
    const before = text
    text = text.replace(/\[([^[\]]*)\]/g, (_, choices: string) => pick(random, choices.split('|')))
    text = text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const slot = slots[name]
      if (slot === undefined) throw new RangeError(`no slot ${name}`)
      return typeof slot === 'function' ? slot(random) : pick(random, slot)
    })
    if (text === before) break
  }
  return text.replace(/\s+/g, ' ').trim()
}

/** As people type: without capitals, without the mark at the end, with a greeting, a wish, or stray space. */
export function vary(text: string, random: Random): string {
  let result = text
  const draw = random.next()
  if (draw < 0.25) result = result.toLowerCase()
  else if (draw < 0.35) result = result.charAt(0).toLowerCase() + result.slice(1)
  else if (draw < 0.85) result = result.charAt(0).toUpperCase() + result.slice(1)
  else if (draw < 0.87) result = result.toUpperCase()
  if (random.next() < 0.25) result = result.replace(/[?.!？。]$/u, '')
  if (random.next() < 0.06)
    result = `${pick(random, ['Hi,', 'Hello!', 'hey,', 'Please tell me:', 'Quick question:', 'Q:', 'Question:'])} ${result}`
  if (random.next() < 0.05)
    result = `${result} ${pick(random, ['Thanks!', 'Please.', 'thank you', 'Answer briefly.', 'Just the answer.'])}`
  return result
}
