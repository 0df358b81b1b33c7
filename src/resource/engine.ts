import type { LanguageModel } from './language-model.ts'

/** How one model is to be run; which fields an engine needs it says itself. */
export interface ModelSpec {
  /** Model id on the card. */
  readonly id: string
  readonly description?: string
  readonly tags?: readonly string[]
  /** Path of a GGUF file (llama.cpp). */
  readonly file?: string
  /** `sha256:<hex>` the file must have. */
  readonly digest?: string
  /** Base URL of a server (llama-server, OpenAI-compatible). */
  readonly url?: string
  /** Name of the model at that server. */
  readonly remoteModel?: string
  /** The key itself, read from the environment by the configuration; never logged, never on a card. */
  readonly apiKey?: string
  /** Tokens. @default what the model's metadata says, at most 8192 for llama.cpp, which reserves memory for all of it */
  readonly contextLength?: number
  /** Calls served at once. @default 4 */
  readonly concurrency?: number
  /**
   * The model makes embeddings too, or `only` them: then it takes no part in answering. Costs memory, so it is asked for.
   * @default false
   */
  readonly embed?: boolean | 'only'
  readonly claims?: readonly { readonly tag: string; readonly n: number; readonly accuracy: number }[]
  readonly price?: { readonly currency: string; readonly input: number; readonly output: number }
}

/** A model as an engine runs it. */
export interface LoadedModel extends LanguageModel {
  /** Frees the model. May be called twice. */
  close(): Promise<void>
}

/** What runs weights, or speaks to a server that does. Implementations are in `engines/`. */
export interface Engine {
  readonly name: string
  /** Rejects with INVALID_MODEL_FILE, ENGINE_FAILED or INVALID_CONFIG. `node` is the node id for the card. */
  load(spec: ModelSpec, options: { readonly node: string; readonly signal?: AbortSignal }): Promise<LoadedModel>
  close(): Promise<void>
}
