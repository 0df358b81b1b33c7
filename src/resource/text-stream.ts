/** A piece of an answer that may be shown, told apart from hidden reasoning. */
export interface TextPiece {
  readonly type: 'text-delta' | 'reasoning-delta'
  readonly text: string
}

export interface TextStreamOptions {
  /** Texts that end the answer and are not part of it. */
  readonly stop?: readonly string[]
  /** `start`: the answer may begin with `<think>`; `inside`: the prompt has opened it. @default no reasoning */
  readonly reasoning?: 'start' | 'inside'
  /** Leaves out white space at the end: grammars allow any amount of it. @default false */
  readonly trimEnd?: boolean
}

/** Turns an answer that arrives in bytes into text that never has half a character or part of a stop text in it. */
export interface TextStream {
  /** What may be shown now. */
  push(bytes: Uint8Array): readonly TextPiece[]
  /** What was held back, when the answer ends without a stop text. */
  end(): readonly TextPiece[]
  /** True once a stop text was found: the answer is over. */
  readonly stopped: boolean
}

const OPEN = '<think>'
const CLOSE = '</think>'

/** One text stream for one answer. */
export function createTextStream(options: TextStreamOptions = {}): TextStream {
  const { stop = [], reasoning, trimEnd = false } = options
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let phase: 'before' | 'thinking' | 'after-thinking' | 'answer' =
    reasoning === 'start' ? 'before' : reasoning === 'inside' ? 'thinking' : 'answer'
  let held = ''
  let stopped = false

  const answer = (last: boolean): readonly TextPiece[] => {
    const found = stop.map(text => held.indexOf(text)).filter(index => index >= 0)
    if (found.length > 0) {
      stopped = true
      return take('text-delta', Math.min(...found))
    }
    const shown = last ? held.length : held.length - overlap(held, stop)
    return take('text-delta', trimEnd ? held.slice(0, shown).trimEnd().length : shown)
  }
  const take = (type: TextPiece['type'], length: number): readonly TextPiece[] => {
    const text = held.slice(0, length)
    held = held.slice(length)
    return text.length > 0 ? [{ type, text }] : []
  }
  const advance = (last: boolean): readonly TextPiece[] => {
    if (phase === 'before') {
      const start = held.trimStart()
      if (!last && OPEN.startsWith(start)) return []
      phase = start.startsWith(OPEN) ? 'thinking' : 'answer'
      if (phase === 'thinking') held = start.slice(OPEN.length)
    }
    const pieces: TextPiece[] = []
    if (phase === 'thinking') {
      const close = held.indexOf(CLOSE)
      pieces.push(
        ...take('reasoning-delta', close >= 0 ? close : last ? held.length : held.length - overlap(held, [CLOSE])),
      )
      if (close < 0) return pieces
      held = held.slice(CLOSE.length)
      phase = 'after-thinking'
    }
    if (phase === 'after-thinking') {
      held = held.trimStart() // the empty lines between reasoning and answer are not part of the answer
      if (held.length > 0) phase = 'answer'
    }
    return phase === 'answer' ? [...pieces, ...answer(last)] : pieces
  }

  return {
    push(bytes) {
      if (stopped) return []
      held += decoder.decode(bytes, { stream: true })
      return advance(false)
    },
    end() {
      if (stopped) return []
      held += decoder.decode()
      return advance(true)
    },
    get stopped() {
      return stopped
    },
  }
}

/** Length of the longest end of the text that is the beginning of one of the marks. */
function overlap(text: string, marks: readonly string[]): number {
  let longest = 0
  for (const mark of marks)
    for (let length = Math.min(mark.length - 1, text.length); length > longest; length--)
      if (mark.startsWith(text.slice(text.length - length))) longest = length
  return longest
}
