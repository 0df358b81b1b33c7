import type { TokenRun, TokenScores, TokenSequence } from './token-model.ts'

/** The prompt followed by some tokens, as a node of a tree of alternatives; `scores` are those after its last token. */
export interface ContextNode<T> {
  readonly token: number
  readonly parent: ContextNode<T> | undefined
  /** Tokens from the start of the sequence, prompt included. */
  readonly depth: number
  scores: T | undefined
  children: Map<number, ContextNode<T>> | undefined
}

/** What a session has asked of its engine. */
export interface EvaluationCounts {
  /** Runs of tokens evaluated, the prompt included. */
  readonly evaluations: number
  readonly tokens: number
  /** Calls of the engine; several runs may go in one. */
  readonly calls: number
}

/**
 * Remembers scores by context and evaluates what is missing with as little new text as possible: the sequence is
 * rolled back to the nearest ancestor it still holds. What was evaluated for a proposal is there when it is committed.
 */
export class ContextTree<T> {
  readonly root: ContextNode<T>
  readonly #sequence: TokenSequence
  readonly #prompt: readonly number[]
  readonly #convert: (scores: TokenScores) => T
  readonly #counts = { evaluations: 0, tokens: 0, calls: 0 }
  /** What the sequence holds; undefined before the prompt and after a failure. */
  #held: ContextNode<T> | undefined
  /** Every live context is this one or below it. */
  #settled: ContextNode<T>

  /** `prompt` is not empty. */
  constructor(sequence: TokenSequence, prompt: readonly number[], convert: (scores: TokenScores) => T) {
    this.#sequence = sequence
    this.#prompt = prompt
    this.#convert = convert
    this.root = {
      token: prompt.at(-1) ?? 0,
      parent: undefined,
      depth: prompt.length,
      scores: undefined,
      children: undefined,
    }
    this.#settled = this.root
  }

  get counts(): EvaluationCounts {
    return this.#counts
  }

  child(node: ContextNode<T>, token: number): ContextNode<T> {
    node.children ??= new Map()
    let child = node.children.get(token)
    if (!child) {
      child = { token, parent: node, depth: node.depth + 1, scores: undefined, children: undefined }
      node.children.set(token, child)
    }
    return child
  }

  descend(node: ContextNode<T>, tokens: readonly number[]): ContextNode<T> {
    let at = node
    for (const token of tokens) at = this.child(at, token)
    return at
  }

  /** Makes sure that each of these has scores; the last is the one most likely continued. */
  async evaluate(targets: readonly ContextNode<T>[], signal?: AbortSignal): Promise<void> {
    const leaves = this.#leaves(targets.filter(target => !target.scores))
    if (leaves.length === 0) return
    signal?.throwIfAborted()
    let base: ContextNode<T> | undefined = this.#held
    for (const leaf of leaves) if (base) base = commonAncestor(base, leaf)
    // A context the sequence holds without scores is evaluated again from the token before.
    if (base && leaves.includes(base)) base = base.parent
    const keep = base ? base.depth : this.#held ? this.#prompt.length - 1 : 0
    const paths = leaves.map(leaf => this.#path(leaf, keep))
    const runs: TokenRun[] = paths.map(({ tokens, nodes }) => {
      const first = nodes.findIndex(node => !node.scores)
      this.#counts.tokens += tokens.length
      return { tokens, scored: nodes.length - first }
    })
    this.#counts.evaluations += runs.length
    this.#counts.calls++
    this.#held = undefined
    const results = await this.#sequence.evaluate({ keep, runs }, signal)
    for (const [index, { nodes }] of paths.entries()) {
      const scored = results[index] ?? []
      const from = nodes.length - scored.length
      for (const [offset, scores] of scored.entries()) {
        const node = nodes[from + offset]
        if (node) node.scores = this.#convert(scores)
      }
    }
    this.#held = leaves.at(-1)
  }

  /** Forgets scores and alternatives that none of the live contexts can reach. */
  prune(live: readonly ContextNode<T>[]): void {
    const alive = new Set(live)
    const marked = new Set<ContextNode<T>>()
    const stop = this.#settled.parent
    for (const leaf of live)
      for (let node: ContextNode<T> | undefined = leaf; node && node !== stop && !marked.has(node); node = node.parent)
        marked.add(node)
    const stack = [this.#settled]
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (alive.has(node)) continue
      node.scores = undefined
      for (const [token, child] of node.children ?? [])
        if (marked.has(child)) stack.push(child)
        else node.children?.delete(token)
    }
    while (!alive.has(this.#settled) && this.#settled.children?.size === 1)
      for (const child of this.#settled.children.values()) this.#settled = child
  }

  /** The targets that no other target continues, in order. */
  #leaves(targets: readonly ContextNode<T>[]): readonly ContextNode<T>[] {
    if (targets.length < 2) return targets
    return targets.filter(
      (target, index) =>
        targets.indexOf(target) === index &&
        !targets.some(
          other => other !== target && other.depth > target.depth && ancestorAt(other, target.depth) === target,
        ),
    )
  }

  /** Tokens after the first `keep`, and the contexts they lead to (the prompt counts as one). */
  #path(leaf: ContextNode<T>, keep: number): { tokens: number[]; nodes: ContextNode<T>[] } {
    const nodes: ContextNode<T>[] = []
    for (let node: ContextNode<T> | undefined = leaf; node && node.depth > keep; node = node.parent) nodes.push(node)
    nodes.reverse()
    const first = nodes[0]
    const prompt = first === this.root ? this.#prompt.slice(keep, -1) : []
    return { tokens: [...prompt, ...nodes.map(node => node.token)], nodes }
  }
}

/** The node itself where it is no deeper. */
export function ancestorAt<T>(node: ContextNode<T>, depth: number): ContextNode<T> | undefined {
  let at: ContextNode<T> | undefined = node
  while (at && at.depth > depth) at = at.parent
  return at
}

function commonAncestor<T>(one: ContextNode<T>, other: ContextNode<T>): ContextNode<T> | undefined {
  let a: ContextNode<T> | undefined = ancestorAt(one, other.depth)
  let b: ContextNode<T> | undefined = ancestorAt(other, one.depth)
  while (a !== b) {
    a = a?.parent
    b = b?.parent
  }
  return a
}
