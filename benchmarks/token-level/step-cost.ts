import type { LlamaModel, Token } from 'node-llama-cpp'
import { getLlama, LlamaContextSequence, LlamaLogLevel } from 'node-llama-cpp'
import type { DistributionKind, LoadedModel } from '../../src/resource/index.ts'
import { median } from '../support.ts'
import { open, rounded } from './models.ts'

/** Tokens of the prompts after which a step is timed. */
const LENGTHS = [100, 1000] as const

export interface StepCostOptions {
  readonly kind: DistributionKind
  /** One token per byte, so that the length of a prompt in tokens is known. */
  readonly text: string
  readonly steps: number
  readonly rounds: number
}

interface Times {
  readonly step: number[]
  /** Of these, what the engine takes. */
  readonly engine: number[]
}

/** Time spent in the engine's evaluations so far. */
let engineMs = 0

/** Counts the time of every evaluation in this process. */
export function watchEngine(): void {
  const { controlledEvaluate } = LlamaContextSequence.prototype
  LlamaContextSequence.prototype.controlledEvaluate = async function (...args) {
    const started = performance.now()
    try {
      return await controlledEvaluate.apply(this, args)
    } finally {
      engineMs += performance.now() - started
    }
  }
}

/**
 * A step (commit one token, ask what follows) after a short and a long prompt: in all, in the engine, and beyond it, the
 * two from the same steps; lengths alternate within a round and the first round warms up. The tenth percentile is what
 * other load on the machine hides least.
 */
export async function stepCost(model: LoadedModel, { kind, text, steps, rounds }: StepCostOptions): Promise<object> {
  const times = new Map<number, Times>(LENGTHS.map(length => [length, { step: [], engine: [] }]))
  for (let round = -1; round < rounds; round++)
    for (const length of round % 2 ? LENGTHS.toReversed() : LENGTHS) {
      const session = await open(model, text.slice(0, length), kind)
      await session.next()
      for (let index = 0; index < steps; index++) {
        const started = performance.now()
        const before = engineMs
        await session.step({ commit: Uint8Array.of(97 + (index % 26)), next: true })
        const engine = engineMs - before
        if (round < 0) continue
        times.get(length)?.step.push(performance.now() - started)
        times.get(length)?.engine.push(engine)
      }
      await session.close()
    }
  const figures = LENGTHS.map(length => {
    const { step = [], engine = [] } = times.get(length) ?? {}
    const ours = step.map((value, index) => value - (engine[index] ?? 0))
    return { length, step: quantiles(step), engine: quantiles(engine), ours: quantiles(ours) }
  })
  const [short, long] = figures
  if (!short || !long) throw new Error('expected two lengths')
  const ratios = (part: 'step' | 'engine' | 'ours') => ({
    median: rounded(long[part].medianMs / short[part].medianMs),
    p10: rounded(long[part].p10Ms / short[part].p10Ms),
  })
  return {
    ...Object.fromEntries(figures.map(({ length, ...parts }) => [`after ${length} tokens`, parts])),
    ratio: { step: ratios('step'), engine: ratios('engine'), ours: ratios('ours') },
  }
}

function quantiles(values: readonly number[]): { readonly medianMs: number; readonly p10Ms: number } {
  const sorted = values.toSorted((a, b) => a - b)
  return { medianMs: rounded(median(sorted), 4), p10Ms: rounded(sorted[Math.floor(sorted.length / 10)] ?? 0, 4) }
}

const CACHES = {
  'keys and values in 16 bits': { key: 'F16', value: 'F16', flash: false },
  'keys and values in 32 bits': { key: 'F32', value: 'F32', flash: false },
  'keys in 8 bits, values in 32 (used for small models)': { key: 'Q8_0', value: 'F32', flash: false },
  'flash attention, keys and values in 16 bits': { key: 'F16', value: 'F16', flash: true },
  'flash attention, keys and values in 8 bits': { key: 'Q8_0', value: 'Q8_0', flash: true },
} as const

/** What the bare engine takes for a token after both lengths, by how it keeps keys and values; variants alternate. */
export async function cacheCost(file: string, { text, steps, rounds }: StepCostOptions): Promise<object> {
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, progressLogs: false })
  const model = await llama.loadModel({ modelPath: file })
  const rows = new Map<string, number[]>()
  const variants = await Promise.all(
    Object.entries(CACHES).map(async ([name, cache]) => ({ name, sequences: await sequencesOf(model, cache, text) })),
  )
  const letters = model.tokenize('abcdefghijklmnopqrstuvwxyz')
  for (let round = -1; round < rounds; round++)
    for (const { name, sequences } of variants)
      for (const { length, sequence } of sequences) {
        for (let index = 0; index < steps; index++) {
          const started = performance.now()
          const generateNext = { logits: { filter: { tokens: [], includeTop: 10 } }, totalLogitWeight: true as const }
          await sequence.controlledEvaluate([[letters[index % letters.length] as Token, { generateNext }]])
          if (round >= 0) append(rows, `${name}, after ${length} tokens`, performance.now() - started)
        }
        await sequence.eraseContextTokenRanges([{ start: length, end: sequence.nextTokenIndex }])
      }
  await model.dispose()
  return Object.fromEntries([...rows].map(([row, values]) => [row, quantiles(values)]))
}

async function sequencesOf(model: LlamaModel, cache: (typeof CACHES)[keyof typeof CACHES], text: string) {
  const context = await model.createContext({
    contextSize: 2056,
    sequences: LENGTHS.length,
    threads: 1,
    flashAttention: cache.flash,
    experimentalKvCacheKeyType: cache.key,
    experimentalKvCacheValueType: cache.value,
  })
  const made: { readonly length: number; readonly sequence: LlamaContextSequence }[] = []
  for (const length of LENGTHS) {
    const sequence = context.getSequence()
    const tokens = model.tokenize(text.slice(0, length))
    for (let at = 0; at < tokens.length; at += 256) await sequence.controlledEvaluate(tokens.slice(at, at + 256))
    made.push({ length, sequence })
  }
  return made
}

function append(rows: Map<string, number[]>, name: string, value: number): void {
  const row = rows.get(name)
  if (row) row.push(value)
  else rows.set(name, [value])
}
