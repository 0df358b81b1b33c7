import type { ModelCard } from '../../protocol/index.ts'
import type { Clock } from '../../utils/clock.ts'
import { systemClock } from '../../utils/clock.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { createCard } from '../card.ts'
import { createEncoderModel } from '../embedding.ts'
import { createEndpointEmbedder } from '../embeddings-endpoint.ts'
import { isEndText } from '../end-texts.ts'
import type { Engine, LoadedModel, ModelSpec } from '../engine.ts'
import { createHttpClient } from '../http-client.ts'
import { createLlamaServerModel } from './llama-server/model.ts'
import type { ServerModels, ServerProps } from './llama-server/protocol.ts'
import { readModels, readProps, readTokens } from './llama-server/protocol.ts'

export interface LlamaServerEngineOptions {
  /**
   * Largest vocabulary for which exact byte distributions are offered: each step then carries all of it as JSON, about
   * 80 bytes a token. @default 4096
   */
  readonly maxByteVocabulary?: number
  /** @default the system clock */
  readonly clock?: Clock
}

/** Models behind llama.cpp's own HTTP server; needs `url` in the spec, and `apiKey` where the server has one. */
export function createLlamaServerEngine(options: LlamaServerEngineOptions = {}): Engine {
  const { maxByteVocabulary = 4096, clock = systemClock } = options
  const models = new Set<LoadedModel>()
  return {
    name: 'llama-server',
    async load(spec, { node, signal }) {
      if (!spec.url)
        throw new ModelNetError('INVALID_CONFIG', `model ${spec.id}: expected "url", where llama-server listens`)
      const http = createHttpClient({ url: spec.url, ...(spec.apiKey ? { apiKey: spec.apiKey } : {}) })
      try {
        const props = readProps(await http.json('/props', undefined, signal))
        const described = readModels(await http.json('/v1/models', undefined, signal))
        const controls = controlsOf(props)
        const endTokens = await endTokensOf(controls, text =>
          http.json('/tokenize', { content: text, add_special: false, parse_special: true }, signal),
        )
        const vocabularySize = described.data[0]?.meta?.n_vocab
        const card = toCard(spec, props, described, { maxByteVocabulary, node, clock })
        const remote = spec.remoteModel ?? described.data[0]?.id ?? spec.id
        const embed = spec.embed && createEndpointEmbedder({ http, path: '/v1/embeddings', model: remote, clock })
        if (embed && spec.embed === 'only') {
          const encoder = createEncoderModel({
            card,
            embed,
            async close() {
              models.delete(encoder)
              await http.close()
            },
          })
          models.add(encoder)
          return encoder
        }
        const model = createLlamaServerModel({
          card,
          http,
          clock,
          slotCount: props.total_slots,
          controls,
          endTokens,
          supportsSystem: props.chat_template_caps?.supports_system_role !== false,
          thinks: props.chat_template?.includes('<think>') === true,
          ...(vocabularySize === undefined ? {} : { vocabularySize }),
          ...(embed && { embed }),
          onClose: () => models.delete(model),
        })
        models.add(model)
        return model
      } catch (error) {
        await http.close()
        throw error
      }
    },
    async close() {
      await Promise.allSettled([...models].map(model => model.close()))
    },
  }
}

function toCard(
  spec: ModelSpec,
  props: ServerProps,
  described: ServerModels,
  facts: { maxByteVocabulary: number; node: string; clock: Clock },
): ModelCard {
  const meta = described.data[0]?.meta
  const served = props.default_generation_settings.n_ctx
  return createCard(
    spec,
    {
      engine: 'llama-server',
      capabilities: [
        ...(spec.embed === 'only' ? [] : (['generate'] as const)),
        ...(meta && spec.embed !== 'only' ? (['tokens'] as const) : []),
        ...(meta && spec.embed !== 'only' && meta.n_vocab <= facts.maxByteVocabulary ? (['bytes'] as const) : []),
        ...(spec.embed ? (['embed'] as const) : []),
      ],
      contextLength: Math.min(spec.contextLength ?? served, served),
      concurrency: Math.min(spec.concurrency ?? props.total_slots, props.total_slots),
      description: 'a model served by llama-server',
      tags: ['engine:llama-server'],
      ...(meta
        ? { tokenizer: { kind: TOKENIZERS[meta.vocab_type ?? 0] ?? 'unknown', vocabularySize: meta.n_vocab } }
        : {}),
    },
    facts.node,
    facts.clock,
  )
}

/** `llama_vocab_type` in the words of GGUF metadata. */
const TOKENIZERS: Readonly<Record<number, string>> = { 1: 'llama', 2: 'gpt2', 3: 'bert', 4: 't5', 5: 'rwkv' }

/** Texts in the template that look like control tokens: the server does not list them. */
function controlsOf(props: ServerProps): readonly string[] {
  const written = props.chat_template?.match(/<[^<>\s{}'"]{1,60}>|\[\/?[A-Z_]{2,40}\]/g) ?? []
  const named = [props.bos_token ?? '', props.eos_token ?? ''].filter(text => text.length > 1)
  return [...new Set([...written, ...named])]
}

/** The end of text, and the ends of turn that llama.cpp knows, where the template uses them. */
async function endTokensOf(
  controls: readonly string[],
  tokenize: (text: string) => Promise<unknown>,
): Promise<ReadonlySet<number>> {
  const ends = new Set<number>()
  for (const text of controls) {
    if (!isEndText(text)) continue
    const { tokens } = readTokens(await tokenize(text))
    const [token] = tokens
    if (tokens.length === 1 && token !== undefined) ends.add(token)
  }
  return ends
}
