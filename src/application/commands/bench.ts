import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { PaperPart } from '../../evaluation/index.ts'
import type { ClientOptions } from '../client.ts'
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
  readonly output: string
  readonly questions?: number
  readonly seed?: number
  readonly resume?: boolean
  readonly json?: boolean
}

/** `modelnet bench paper`: the experiments of the AI-ModelNet paper on the shipped models. */
export async function benchPaper(options: BenchPaperCommand, terminal: Terminal): Promise<void> {
  const { runBenchPaper } = await import('../../evaluation/index.ts')
  const { parts, json, ...settings } = options
  const directory = shippedModelsDirectory()
  const models = shippedModels()
    .map(({ name, spec }) => ({ spec, heldout: join(directory, name, 'heldout.jsonl') }))
    .filter(({ heldout }) => existsSync(heldout))
  const composite = join(directory, 'composite.jsonl')
  const bar = progressBar(terminal)
  const { text, files, answers } = await runBenchPaper({
    ...settings,
    models,
    ...(existsSync(composite) && { composite }),
    ...(parts.length > 0 && { parts: parts as readonly PaperPart[] }), // an unknown part is refused by name
    onProgress: (part, { done, total }) => bar.show(part, done, total),
  })
  bar.clear()
  terminal.out(json ? `${JSON.stringify({ answers, files })}\n` : `${text}\n\n${files.html}\n`)
}

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
