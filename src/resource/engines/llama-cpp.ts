import { availableParallelism } from 'node:os'
import type { Llama, LlamaModel } from 'node-llama-cpp'
import type { ModelCard } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { systemClock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { createCard } from '../card.ts'
import { createEncoderModel } from '../embedding.ts'
import type { Engine, LoadedModel, ModelSpec } from '../engine.ts'
import { cacheTypes } from './llama-cpp/cache-types.ts'
import { createChatTemplate } from './llama-cpp/chat-template.ts'
import { createLlamaEmbedder } from './llama-cpp/embedder.ts'
import type { GgufFile } from './llama-cpp/gguf-file.ts'
import { readGgufFile } from './llama-cpp/gguf-file.ts'
import { createLlamaCppModel } from './llama-cpp/model.ts'
import { createSequencePool } from './llama-cpp/sequence-pool.ts'
import { startLlama } from './llama-cpp/start-llama.ts'
import { SMALL_MODEL_BYTES, threadsFor } from './llama-cpp/threads.ts'
import { createTokenizer } from './llama-cpp/tokenizer.ts'
import { readVocabulary } from './llama-cpp/vocabulary.ts'

export interface LlamaCppEngineOptions {
  /** `auto` uses a GPU where its binary is installed. @default false */
  readonly gpu?: 'auto' | false
  /** Threads of one model. @default 1 for models below 64 MB, which gain nothing from more; else the cores there are, but one */
  readonly threads?: number
  /** The library, being started already (`startLlama`). @default started with the first model */
  readonly llama?: Promise<Llama>
  /**
   * A session that finds all sequences taken waits for one instead of being refused with OVERLOADED: for whoever admits
   * no more calls than there are sequences, so that one is always about to be free. @default false
   */
  readonly sessionsWait?: boolean
  /** @default the system clock */
  readonly clock?: Clock
}

/** Tokens of context reserved for each sequence when neither file nor spec asks for less: KV memory grows with it. */
const MAX_DEFAULT_CONTEXT = 8192
/** llama.cpp shifts its context silently when the last cells are reached, so it gets a few more than are used. */
const SPARE_CELLS = 8
/** Disposal was seen never to resolve after a failed load. */
const DISPOSE_TIMEOUT_MS = 5000

/** Models run by llama.cpp in this process, from GGUF files; needs `file` in the spec. */
export function createLlamaCppEngine(options: LlamaCppEngineOptions = {}): Engine {
  const { gpu = false, clock = systemClock, sessionsWait = false } = options
  const models = new Set<LoadedModel>()
  let starting = options.llama
  let closed = false

  const start = (): Promise<Llama> => {
    starting ??= startLlama(gpu)
    return starting
  }

  return {
    name: 'llama.cpp',
    async load(spec, { node, signal }) {
      if (closed) throw new ModelNetError('ENGINE_FAILED', 'the llama.cpp engine is closed')
      if (!spec.file)
        throw new ModelNetError('INVALID_CONFIG', `model ${spec.id}: expected "file", a path of a GGUF file`)
      signal?.throwIfAborted()
      const file = await readGgufFile(spec.file, {
        ...(spec.digest ? { digest: spec.digest } : {}),
        ...(signal ? { signal } : {}),
      })
      const vocabulary = readVocabulary(file)
      const llama = await start()
      const model = await loadWeights(llama, file, signal)
      const threads =
        options.threads ?? threadsFor(file.bytes, { mathCores: llama.cpuMathCores, available: availableParallelism() })
      const track = (loaded: LoadedModel): LoadedModel => {
        const tracked: LoadedModel = {
          ...loaded,
          async close() {
            models.delete(tracked)
            await loaded.close()
          },
        }
        models.add(tracked)
        return tracked
      }
      try {
        const { concurrency = 4 } = spec
        const asked = spec.contextLength === undefined ? {} : { contextLength: spec.contextLength }
        const embedder = spec.embed && (await createLlamaEmbedder(model, { ...asked, threads, clock, name: spec.id }))
        const close = async (): Promise<void> => {
          if (embedder) await embedder.close()
        }
        if (embedder && spec.embed === 'only') {
          const facts = { contextLength: embedder.contextLength, concurrency, node, clock }
          return track(
            createEncoderModel({
              card: toCard(spec, file, vocabulary, facts),
              embed: embedder.embed,
              close: () => close().then(() => model.dispose()),
            }),
          )
        }
        const template = createChatTemplate({
          ...textOf(file, 'tokenizer.chat_template', 'source'),
          bosToken: model.tokens.bosString ?? '',
          eosToken: model.tokens.eosString ?? '',
          controls: vocabulary.controls.keys(),
        })
        const { contextLength = Math.min(model.trainContextSize, MAX_DEFAULT_CONTEXT) } = spec
        const context = await model.createContext({
          contextSize: contextLength + SPARE_CELLS,
          sequences: concurrency,
          threads,
          // On a CPU flash attention made a step after 1,000 tokens 3.5 times as slow (1.8 against 0.5 ms, d = 128).
          ...(gpu === false && { flashAttention: false }),
          ...(gpu === false && file.bytes < SMALL_MODEL_BYTES && cacheTypes(file.metadata)),
        })
        const loaded = createLlamaCppModel({
          card: toCard(spec, file, vocabulary, { contextLength, concurrency, node, clock }),
          model,
          context,
          pool: createSequencePool(context),
          vocabulary,
          tokenizer: createTokenizer(model, vocabulary),
          template,
          endTokens: endTokensOf(model, vocabulary.bytes.length),
          clock,
          sessionsWait,
        })
        return track({
          ...loaded,
          ...(embedder && { embed: embedder.embed }),
          close: () => close().then(() => loaded.close()),
        })
      } catch (cause) {
        await model.dispose()
        if (cause instanceof ModelNetError) throw cause
        throw new ModelNetError('ENGINE_FAILED', `llama.cpp cannot run ${spec.file}: ${messageOf(cause)}`, { cause })
      }
    },
    async close() {
      if (closed) return
      closed = true
      await Promise.allSettled([...models].map(model => model.close()))
      const llama = await starting?.catch(() => undefined)
      if (llama) await Promise.race([llama.dispose(), clock.sleep(DISPOSE_TIMEOUT_MS)])
    },
  }
}

async function loadWeights(llama: Llama, file: GgufFile, signal?: AbortSignal): Promise<LlamaModel> {
  try {
    return await llama.loadModel({ modelPath: file.path, ...(signal ? { loadSignal: signal } : {}) })
  } catch (cause) {
    signal?.throwIfAborted()
    throw new ModelNetError('INVALID_MODEL_FILE', `llama.cpp cannot load ${file.path}: ${messageOf(cause)}`, { cause })
  }
}

function toCard(
  spec: ModelSpec,
  file: GgufFile,
  vocabulary: { readonly kind: string; readonly bytes: readonly unknown[] },
  facts: { contextLength: number; concurrency: number; node: string; clock: Clock },
): ModelCard {
  const architecture = String(file.metadata.get('general.architecture') ?? 'unknown')
  const { license } = textOf(file, 'general.license', 'license')
  const quantization = FILE_TYPES[Number(file.metadata.get('general.file_type'))]
  const { description = `a ${architecture} model run by llama.cpp` } = textOf(
    file,
    'general.description',
    'description',
  )
  return createCard(
    spec,
    {
      engine: 'llama.cpp',
      capabilities: [...(spec.embed === 'only' ? [] : ANSWERING), ...(spec.embed ? (['embed'] as const) : [])],
      contextLength: facts.contextLength,
      concurrency: facts.concurrency,
      description: description.slice(0, 1000),
      tags: [`architecture:${architecture}`],
      weights: {
        format: 'gguf',
        digest: file.digest,
        bytes: file.bytes,
        ...(file.parameters > 0 ? { parameters: file.parameters } : {}),
        ...(quantization ? { quantization } : {}),
        ...(license ? { license: license.slice(0, 64) } : {}),
      },
      tokenizer: { kind: vocabulary.kind, vocabularySize: vocabulary.bytes.length },
    },
    facts.node,
    facts.clock,
  )
}

const ANSWERING = ['generate', 'tokens', 'bytes', 'score'] as const

/** `general.file_type` by number (llama.cpp, `llama_ftype`). */
const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  7: 'Q8_0',
  8: 'Q5_0',
  15: 'Q4_K_M',
  17: 'Q5_K_M',
  18: 'Q6_K',
  32: 'BF16',
}

/** `{ [name]: value }` where the metadata has such a text, else `{}`. */
function textOf<Name extends string>(file: GgufFile, key: string, name: Name): { readonly [N in Name]?: string } {
  const value = file.metadata.get(key)
  const field: { [N in Name]?: string } = {}
  if (typeof value === 'string' && value.length > 0) field[name] = value
  return field
}

function endTokensOf(model: LlamaModel, vocabularySize: number): ReadonlySet<number> {
  const ends = new Set<number>()
  for (const token of model.iterateAllTokens()) if (token < vocabularySize && model.isEogToken(token)) ends.add(token)
  return ends
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
