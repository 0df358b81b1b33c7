import type { ContextNode, ContextTree } from './context-tree.ts'
import { spell } from './spelling.ts'
import { concatBytes } from './stepped-session.ts'
import type { TokenModel } from './token-model.ts'

/** A segment is closed at the first space after so many bytes, so that a step re-tokenises a few words only. */
const SEGMENT_BYTES = 32
/** A segment without spaces (Chinese, base64) is closed at a character after so many bytes. */
const LONGEST_SEGMENT_BYTES = 512

/**
 * The tokens of a growing text: those of its closed segments, then those of the open one. They depend on the text only,
 * never on the pieces in which it came, so that a proposal looked at in one piece and a text committed byte by byte
 * stand in the same context. Extending gives a new value; the common prefix of tokens is shared in the tree.
 */
export class TextTokens<T> {
  readonly node: ContextNode<T>
  readonly #tree: ContextTree<T>
  readonly #model: TokenModel
  /** Context after the closed segments. */
  readonly #closed: ContextNode<T>
  readonly #open: Uint8Array

  constructor(
    tree: ContextTree<T>,
    model: TokenModel,
    closed: ContextNode<T> = tree.root,
    open: Uint8Array = new Uint8Array(),
  ) {
    this.#tree = tree
    this.#model = model
    this.#closed = closed
    this.#open = open
    this.node = open.length === 0 ? closed : tree.descend(closed, spell(model, open))
  }

  extend(bytes: Uint8Array): TextTokens<T> {
    if (bytes.length === 0) return this
    let open = concatBytes(this.#open, bytes)
    let closed = this.#closed
    for (let end = segmentEnd(open); end > 0; end = segmentEnd(open)) {
      closed = this.#tree.descend(closed, spell(this.#model, open.subarray(0, end)))
      open = open.subarray(end)
    }
    return new TextTokens(this.#tree, this.#model, closed, open)
  }

  /** Contexts that later text can still lead to. */
  get live(): readonly ContextNode<T>[] {
    return [this.#closed, this.node]
  }
}

const SPACE = 0x20

function segmentEnd(bytes: Uint8Array): number {
  const limit = Math.min(bytes.length, LONGEST_SEGMENT_BYTES)
  for (let at = SEGMENT_BYTES; at < limit; at++) if (bytes[at] === SPACE && bytes[at - 1] !== SPACE) return at
  if (bytes.length <= LONGEST_SEGMENT_BYTES) return 0
  let end = LONGEST_SEGMENT_BYTES
  while (end > LONGEST_SEGMENT_BYTES - 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end
}
