import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { PaperPart } from '../../evaluation/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import { type ClientOptions, getJson } from '../client.ts'
import { shippedModels, shippedModelsDirectory } from '../shipped-models.ts'
import { paint, type Terminal } from '../terminal.ts'

export interface BenchAskCommand extends ClientOptions {
  readonly questions: string
  readonly model?: string
  readonly pathway?: string
  readonly concurrency?: number
  readonly seed?: number
  readonly checkpoint?: string
  readonly output?: string
  readonly json?: boolean
}

/** `modelnet bench ask`: sends a file of questions through a running network and grades the answers. */
export async function benchAsk(options: BenchAskCommand, terminal: Terminal): Promise<void> {
  const { runBenchAsk } = await import('../../evaluation/index.ts')
  const { json, ...asked } = options
  const bar = progressBar(terminal)
  const { text, ...result } = await runBenchAsk({
    ...asked,
    onProgress: ({ done, total }) => bar.show('', done, total),
  })
  bar.clear()
  terminal.out(json ? `${JSON.stringify(result)}\n` : `${text}\n`)
}

export interface BenchPaperCommand {
  readonly parts: readonly string[]
  /** A gateway: its network answers instead of the shipped models in this process. */
  readonly url?: string
  readonly key?: string
  /** Models of that network that take part. @default all */
  readonly member?: readonly string[]
  /** `name=file.jsonl`: questions instead of those of the shipped models. */
  readonly questionSet?: readonly string[]
  readonly output: string
  readonly questions?: number
  readonly seed?: number
  readonly resume?: boolean
  readonly json?: boolean
}

/** `modelnet bench paper`: the experiments of the AI-ModelNet paper on the shipped models, or on those of a network. */
export async function benchPaper(options: BenchPaperCommand, terminal: Terminal): Promise<void> {
  const { runBenchPaper } = await import('../../evaluation/index.ts')
  const { parts, json, url, key, member = [], questionSet = [], ...settings } = options
  if (url === undefined && member.length > 0)
    throw new ModelNetError('INVALID_CONFIG', '--member names models of a running network: expected --url as well')
  const directory = shippedModelsDirectory()
  const shipped = shippedModels()
    .map(({ name, spec }) => ({ spec, heldout: join(directory, name, 'heldout.jsonl') }))
    .filter(({ heldout }) => existsSync(heldout))
  const models = questionSet.length > 0 ? questionSet.map(toQuestionSet) : shipped
  const access = url === undefined ? undefined : { url, ...(key !== undefined && { key }) }
  const network = access && { ...access, members: member.length > 0 ? member : await modelsOf(access) }
  const composite = join(directory, 'composite.jsonl')
  const bar = progressBar(terminal)
  const { text, files, answers } = await runBenchPaper({
    ...settings,
    models,
    ...(network && { network }),
    ...(existsSync(composite) && { composite }),
    ...(parts.length > 0 && { parts: parts as readonly PaperPart[] }), // an unknown part is refused by name
    onProgress: (part, { done, total }) => bar.show(part, done, total),
  })
  bar.clear()
  terminal.out(json ? `${JSON.stringify({ answers, files })}\n` : `${text}\n\n${files.html}\n`)
}

/** Every model of a network; the network itself, which is listed first, is none. */
async function modelsOf(access: ClientOptions): Promise<readonly string[]> {
  const { data } = ModelListSchema.parse(await getJson('/v1/models', access))
  return data.filter(({ modelnet }) => modelnet !== undefined).map(({ id }) => id)
}

function toQuestionSet(text: string): { readonly spec: { readonly id: string }; readonly heldout: string } {
  const [, id, heldout] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (id === undefined || heldout === undefined)
    throw new ModelNetError('INVALID_CONFIG', `${text}: expected name=file.jsonl`)
  return { spec: { id }, heldout }
}

const ModelListSchema = z.object({ data: z.array(z.object({ id: z.string(), modelnet: z.unknown().optional() })) })

export interface BenchRoutingCommand {
  readonly set: string
  readonly train: string
  readonly test: string
  readonly decisions?: string
  readonly strip?: boolean
  readonly combine?: boolean
  readonly maxParameters?: number
  readonly json?: boolean
}

/** `modelnet bench routing`: trains the router on recorded answers and decides for the questions of another file. */
export async function benchRouting(options: BenchRoutingCommand, terminal: Terminal): Promise<void> {
  const { formatRoutingBench, runRoutingBench } = await import('../../evaluation/index.ts')
  const { json, ...settings } = options
  const onProgress = (message: string): void => terminal.err(paint(terminal, 'dim', `${message}\n`))
  const result = runRoutingBench({ ...settings, onProgress })
  terminal.out(json ? `${JSON.stringify(result)}\n` : `${formatRoutingBench(result)}\n`)
}

interface ProgressBar {
  show(what: string, done: number, total: number): void
  clear(): void
}

/** One line that is written over; nothing where no person looks. */
function progressBar(terminal: Terminal): ProgressBar {
  const width = 30
  let shown = ''
  return {
    show(what, done, total) {
      const filled = total > 0 ? Math.round((done / total) * width) : 0
      const line = `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done}/${total} ${what}`
      if (!terminal.color || line === shown) return
      shown = line
      terminal.err(`\r\u001b[K${paint(terminal, 'dim', line)}`)
    },
    clear: () => terminal.err(shown === '' ? '' : '\r\u001b[K'),
  }
}
