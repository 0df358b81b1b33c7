/**
 * Takes hidden reasoning out of a text while it streams: `<think>…</think>` and its spellings, unclosed tags included.
 * A closing tag without an opening one means that all before it was reasoning (the prompt template had opened it).
 */
export interface ReasoningFilter {
  /** What may be shown of this piece; `reset` when all that was shown before was reasoning. */
  push(text: string): { readonly text: string; readonly reset: boolean }
  /** What was held back because it could have become a tag. */
  end(): string
}

// Gaps are bounded: runs of spaces side by side take time that grows with the cube of their length.
const TAG = /[<[◁]\s{0,4}(\/?)\s{0,4}\|?\s{0,4}(?:think|thinking|thought|reasoning)\b[^>\]▷]{0,64}[>\]▷]/iu
/** The beginning of something that may still become a tag. */
const PARTIAL = /[<[◁][^>\]▷]{0,72}$/u
const PARTIAL_TAG =
  /^[<[◁]\s{0,4}\/?\s{0,4}\|?\s{0,4}(?:(?:think|thinking|thought|reasoning)(?:[^\p{L}].*)?|[a-z]{0,8})$/isu

export function createReasoningFilter(): ReasoningFilter {
  let held = ''
  let hidden = false
  let started = false
  const push = (text: string): { text: string; reset: boolean } => {
    let rest = held + text
    let shown = ''
    let reset = false
    held = ''
    for (let tag = TAG.exec(rest); tag; tag = TAG.exec(rest)) {
      if (!hidden) shown += rest.slice(0, tag.index)
      if (tag[1] && !hidden) {
        shown = ''
        reset = true
        started = false
      }
      hidden = !tag[1]
      rest = rest.slice(tag.index + tag[0].length)
      if (!hidden && !started && shown.trim() === '') rest = rest.trimStart()
    }
    const partial = PARTIAL.exec(rest)
    if (partial && PARTIAL_TAG.test(partial[0])) {
      held = partial[0]
      rest = rest.slice(0, partial.index)
    }
    const visible = hidden ? shown : shown + rest
    started ||= visible.trim() !== ''
    return { text: visible, reset }
  }
  return {
    push,
    end: () => (hidden ? '' : held),
  }
}

/** A whole text without its hidden reasoning. */
export function withoutReasoning(text: string): string {
  const filter = createReasoningFilter()
  return (filter.push(text).text + filter.end()).trim()
}
