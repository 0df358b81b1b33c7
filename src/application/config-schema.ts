import { join } from 'node:path'
import { z } from 'zod'
import { TagSchema } from '../protocol/index.ts'
import { DEFAULT_PORT } from './defaults.ts'
import { type NetworkConfig, NetworkSchema, type PolicyConfig, PolicySchema, SubjectsSchema } from './network-schema.ts'

/** One model of a node: exactly one of `shipped`, `file` and `url` says where it comes from. */
export interface ModelConfig {
  readonly shipped?: string
  readonly file?: string
  readonly digest?: string
  readonly url?: string
  readonly engine?: 'llama.cpp' | 'llama-server' | 'openai-compatible' | 'modelnet'
  readonly remoteModel?: string
  readonly key?: string
  readonly id?: string
  readonly description?: string
  readonly tags?: string[]
  /** Shares of right answers the operator measured. */
  readonly claims?: { readonly tag: string; readonly n: number; readonly accuracy: number }[]
  readonly contextLength?: number
  readonly concurrency?: number
  /** It makes embeddings too, or `only` them. @default false */
  readonly embed?: boolean | 'only'
  readonly price?: { readonly currency: string; readonly input: number; readonly output: number }
  /** Who may use it: node ids and domains. @default `policy.serve` */
  readonly allow?: string[]
}

/** A checked configuration, every default filled in. */
export interface NodeConfig {
  readonly name: string
  readonly dataDir: string
  readonly network: NetworkConfig
  readonly policy: PolicyConfig
  readonly gateway: {
    readonly host: string
    readonly port: number
    readonly keys: readonly string[]
    readonly maxBodyBytes: number
    readonly deadlineMs: number
  }
  readonly models: readonly ModelConfig[]
  readonly deploy: {
    readonly allow: boolean
    readonly share: boolean
    readonly idleMs: number
    /** @default half of the memory of this machine */
    readonly memoryBytes?: number
    /** @default `weights` in the data directory */
    readonly directory?: string
    readonly quotaBytes: number
    readonly bytesPerSecond: number
    /** Of the hub behind `hf:` names, or of a mirror. */
    readonly huggingFaceUrl: string
    readonly huggingFaceToken?: string
  }
  readonly service: {
    /** A router trained by `modelnet learn`. */
    readonly router?: string
    /** Longest time for the vector of a question, where the router reads vectors. */
    readonly encoderMs: number
    readonly logBytes: number
    /** A model that helps to analyse tasks of which the fast analysis is not sure. */
    readonly refine?: {
      readonly model: string
      readonly by: 'instruction' | 'embedding'
      readonly timeoutMs: number
      readonly below: number
    }
    readonly probeEveryMs: number
    readonly probeQuestions: readonly string[]
  }
  readonly tracing: {
    /** Base URL of an OTLP collector over HTTP. */
    readonly endpoint?: string
  }
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug'
}

/** A configuration as a file, flags or a program give it: everything may be left out. */
export type ConfigInput = {
  readonly [Key in keyof NodeConfig]?: NodeConfig[Key] extends readonly unknown[] | string
    ? NodeConfig[Key]
    : Partial<NodeConfig[Key]>
}

const port = z.int().min(0).max(65535)
const secret = z
  .string()
  .min(1)
  .describe('A secret: `env:NAME` reads it from the environment; a literal value is for tests only.')

const ModelConfigSchema = z
  .strictObject({
    shipped: z.string().min(1).exactOptional().describe('Name of a shipped specialist, such as `geography`.'),
    file: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Path of a GGUF file, relative to this configuration file, or `hf:organisation/repository/file.gguf`.'),
    digest: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/)
      .exactOptional(),
    url: z.url().exactOptional().describe('Base URL of a running server: `http://127.0.0.1:8080/v1`.'),
    engine: z
      .enum(['llama.cpp', 'llama-server', 'openai-compatible', 'modelnet'])
      .exactOptional()
      .describe(
        'What runs it: `modelnet` is another node, by the URL of its gateway. Default: llama.cpp for a file, openai-compatible for a URL.',
      ),
    remoteModel: z.string().min(1).exactOptional().describe('Name of the model at that server.'),
    key: secret.exactOptional(),
    id: z.string().min(1).exactOptional().describe('Model id in the network: `publisher/name`.'),
    description: z.string().min(1).max(1000).exactOptional(),
    tags: z.array(TagSchema).exactOptional(),
    claims: z
      .array(z.strictObject({ tag: TagSchema, n: z.int().positive(), accuracy: z.number().min(0).max(1) }))
      .max(32)
      .exactOptional()
      .describe('Measured shares of right answers, told on the card; peers believe little of it.'),
    contextLength: z.int().min(16).exactOptional(),
    concurrency: z.int().min(1).max(1024).exactOptional(),
    embed: z
      .union([z.boolean(), z.literal('only')])
      .exactOptional()
      .describe('Offer embeddings of texts too, or `only` them: for encoders, which do not answer. Default: false.'),
    price: z
      .strictObject({ currency: z.string().min(1), input: z.number().min(0), output: z.number().min(0) })
      .exactOptional()
      .describe('Per million tokens.'),
    allow: SubjectsSchema.exactOptional().describe('Who may use it: node ids and domains. Default: `policy.serve`.'),
  })
  .refine(model => [model.shipped, model.file, model.url].filter(source => source !== undefined).length === 1, {
    message: 'expected exactly one of `shipped`, `file` and `url`',
  })

export const ConfigSchema: z.ZodType<NodeConfig> = z.strictObject({
  name: z.string().min(1).max(64).default('node').describe('A name for people; the identity is the key.'),
  dataDir: z.string().min(1).default(join('~', '.modelnet')).describe('Identity, peer book, weights from peers.'),
  network: NetworkSchema.prefault({}),
  policy: PolicySchema.prefault({}),
  gateway: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(DEFAULT_PORT),
      keys: z.array(secret).default([]).describe('Keys that clients must send. None: anyone who reaches the port.'),
      maxBodyBytes: z
        .int()
        .min(1024)
        .default(4 * 1024 * 1024),
      deadlineMs: z.int().min(100).default(300_000).describe('Longest time for one request.'),
    })
    .prefault({}),
  models: z.array(ModelConfigSchema).default([]),
  deploy: z
    .strictObject({
      allow: z.boolean().default(false).describe('Start models on this node when the network asks for them.'),
      share: z.boolean().default(false).describe('Give the weights of models on this node to peers that ask.'),
      idleMs: z
        .int()
        .min(100)
        .default(15 * 60_000)
        .describe('A deployed model nobody asked for so long is stopped.'),
      memoryBytes: z
        .int()
        .min(0)
        .exactOptional()
        .describe('Memory of all deployed models together. Default: half of what the machine has.'),
      directory: z
        .string()
        .min(1)
        .exactOptional()
        .describe('Cache of weights. Default: `weights` in the data directory.'),
      quotaBytes: z
        .int()
        .min(0)
        .default(20 * 1024 ** 3)
        .describe('Size of the cache; what was not used for longest makes room.'),
      bytesPerSecond: z
        .int()
        .min(1024)
        .default(64 * 1024 ** 2)
        .describe('Weights given to all peers together.'),
      huggingFaceUrl: z.url().default('https://huggingface.co').describe('The hub behind `hf:` names, or a mirror.'),
      huggingFaceToken: secret.exactOptional(),
    })
    .prefault({}),
  service: z
    .strictObject({
      router: z.string().min(1).exactOptional().describe('A router trained by `modelnet learn`, loaded at start.'),
      encoderMs: z
        .int()
        .min(1)
        .default(250)
        .describe("Longest time a decision waits for its question's vector, where the router reads those of a model."),
      refine: z
        .strictObject({
          model: z.string().min(1).describe('`model` or `model@node`.'),
          by: z
            .enum(['instruction', 'embedding'])
            .describe('Asked for the skills as JSON, or by its vectors beside those of example questions.'),
          timeoutMs: z.int().min(1).default(1000).describe('Longest time a request waits for it.'),
          below: z.number().min(0).max(1).default(0.9).describe('Confidence from which on it is not asked.'),
        })
        .exactOptional()
        .describe('A model of the network that helps to analyse questions. Default: none, which costs no time.'),
      logBytes: z
        .int()
        .min(0)
        .default(32 * 1024 ** 2)
        .describe('Graded answers kept in `outcomes.jsonl` of the data directory, for `modelnet learn`. 0: none.'),
      probeEveryMs: z
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .default(60_000)
        .describe(
          'Time between probes: questions with known answers to models of the network that cost nothing. 0: none.',
        ),
      probeQuestions: z
        .array(z.string().min(1))
        .default([])
        .describe('JSONL of further questions for probes: `question`, `answer` and `tag` per line.'),
    })
    .prefault({}),
  tracing: z
    .strictObject({
      endpoint: z.url().exactOptional().describe('Base URL of an OpenTelemetry collector (OTLP over HTTP).'),
    })
    .prefault({}),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
})

/** What `modelnet.yaml` may hold, as JSON Schema; published as `config.schema.json`. */
export const configJsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(ConfigSchema, { io: 'input' }),
  title: 'ModelNet configuration',
})
