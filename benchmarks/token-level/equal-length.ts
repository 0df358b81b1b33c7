/**
 * Question: how much longer does a joint answer take than its slowest member needs for a text of the same length?
 * Limit: 1.15 times (DuetNet: 1.7).
 * Run: npx tsx benchmarks/token-level/equal-length.ts [--answers 20] [--large 6]
 * Writes benchmarks/results/token-level-equal-length.json. Each member is a process of its own over loopback streams.
 * Small: two shipped models of a million weights fuse exact bytes, as the product does (asked ahead along drafts) and
 * step by step; the members are led through the same text alone, and generate freely, whose time is scaled to the same
 * length. Large: two members with the proportions of Llama 3.2 1B, untrained, are led through a text, jointly over ten
 * tokens step by step, each alone, and both at once each by itself: here they share memory and cores, which members at
 * two machines do not. Ways alternate.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { createFusedSession, createSpeculativeSession } from '../../src/interaction/index.ts'
import type { DecodeSession, DistributionKind, LanguageModel } from '../../src/resource/index.ts'
import { median, writeResult } from '../support.ts'
import { argument, BYTES, openAll, rounded, write } from './models.ts'
import { startPeers } from './peers.ts'
import { EIGHTH_OF_LLAMA_1B, writeRandomModel } from './random-model.ts'

const TOKENS: DistributionKind = { kind: 'tokens', top: 10 }
const QUESTION = 'What is 34 + 58?'
const MAX_TOKENS = 64
const answers = argument('answers', 20)
const largeAnswers = argument('large', 6)

type Times = Readonly<Record<string, number>>

const fusionOf = (sessions: readonly DecodeSession[]) =>
  createFusedSession(
    sessions.map((session, index) => ({ name: `m${index}`, weight: 1, session })),
    { lateMs: 10_000 },
  )

/** Of the slowest of the members, each asked while the others rest. */
async function slowest(
  models: readonly LanguageModel[],
  time: (model: LanguageModel) => Promise<number>,
): Promise<number> {
  const each: number[] = []
  for (const model of models) each.push(await time(model))
  return Math.max(...each)
}

/** Time a member alone needs to be led through the text symbol by symbol. */
async function led(model: LanguageModel, text: Uint8Array): Promise<number> {
  const started = performance.now()
  const [session] = await openAll([model], BYTES, QUESTION)
  if (!session) return 0
  await session.next()
  for (const byte of text) await session.step({ commit: Uint8Array.of(byte), next: true })
  const ms = performance.now() - started
  await session.close()
  return ms
}

/** What a member writes of its own, and how long that takes with the prompt. */
async function generated(model: LanguageModel): Promise<{ ms: number; bytes: number; tokens: number }> {
  const started = performance.now()
  let bytes = 0
  let tokens = 0
  for await (const part of model.generate({
    messages: [{ role: 'user', content: QUESTION }],
    maxTokens: MAX_TOKENS,
    temperature: 0,
  })) {
    if (part.type === 'text-delta') bytes += Buffer.byteLength(part.text)
    if (part.type === 'finish') tokens = part.usage.completionTokens
  }
  return { ms: performance.now() - started, bytes, tokens }
}

async function small(models: readonly LanguageModel[], isOdd: boolean): Promise<Times> {
  const ms: Record<string, number> = {}
  let text = ''
  for (const way of isOdd ? ['asked ahead', 'step by step'] : ['step by step', 'asked ahead']) {
    const started = performance.now()
    const fused = fusionOf(await openAll(models, BYTES, QUESTION))
    const written = await write(way === 'asked ahead' ? createSpeculativeSession(fused) : fused)
    ms[way] = performance.now() - started
    text = written.text
  }
  const bytes = new TextEncoder().encode(text)
  return {
    ...ms,
    'slowest member led through the text': await slowest(models, model => led(model, bytes)),
    'slowest member generating': await slowest(models, async model => {
      const own = await generated(model)
      return (own.ms * bytes.length) / Math.max(1, own.bytes)
    }),
  }
}

/** Of a token of the whole answer, each way. */
async function large(models: readonly LanguageModel[], isOdd: boolean): Promise<Times> {
  /** Led through a text, whatever it would say: the tokenizer that is lent has a token for each letter. */
  const led = async (open: () => Promise<DecodeSession>): Promise<number> => {
    const started = performance.now()
    const session = await open()
    await session.next()
    for (let token = 1; token < MAX_TOKENS; token++)
      await session.step({ commit: Uint8Array.of(97 + (token % 26)), next: true })
    await session.close()
    return (performance.now() - started) / MAX_TOKENS
  }
  const openOne = async (model: LanguageModel): Promise<DecodeSession> => {
    const [session] = await openAll([model], TOKENS, QUESTION)
    if (!session) throw new Error('expected a session')
    return session
  }
  const ledAlone = (model: LanguageModel): Promise<number> => led(() => openOne(model))
  const ways: Readonly<Record<string, () => Promise<number>>> = {
    'step by step': () => led(async () => fusionOf(await openAll(models, TOKENS, QUESTION))),
    'slowest member led through the text': () => slowest(models, ledAlone),
    'slowest member led through the text, both at once': async () =>
      Math.max(...(await Promise.all(models.map(ledAlone)))),
    'slowest member generating': () =>
      slowest(models, async model => {
        const { ms, tokens } = await generated(model)
        return ms / tokens
      }),
  }
  const times: Record<string, number> = {}
  for (const [way, time] of isOdd ? Object.entries(ways).reverse() : Object.entries(ways)) times[way] = await time()
  return times
}

async function measured(
  names: readonly string[],
  count: number,
  time: (models: readonly LanguageModel[], isOdd: boolean) => Promise<Times>,
): Promise<object> {
  const peers = await startPeers(names)
  const rows: Times[] = []
  for (let index = -1; index < count; index++) {
    const row = await time(peers.models, index % 2 !== 0)
    if (index >= 0) rows.push(row) // the first warms up
  }
  await peers.close()
  const ways = Object.keys(rows[0] ?? {})
  const of = (way: string): number[] => rows.map(row => row[way] ?? Number.NaN)
  const joint = ways.filter(way => !way.startsWith('slowest'))
  const ratios = joint.flatMap(way =>
    ways
      .filter(other => !joint.includes(other))
      .map((other): [string, number[]] => [
        `${way} / ${other}`,
        rows.map(row => (row[way] ?? Number.NaN) / (row[other] ?? Number.NaN)),
      ]),
  )
  return {
    answers: count,
    medianRatios: Object.fromEntries(ratios.map(([name, values]) => [name, rounded(median([...values]), 2)])),
    medianMs: Object.fromEntries(ways.map(way => [way, rounded(median(of(way)), 2)])),
    ratios: Object.fromEntries(ratios.map(([name, values]) => [name, values.map(value => rounded(value, 2))])),
  }
}

const results: Record<string, object> = {}
const folder = mkdtempSync(join(tmpdir(), 'modelnet-equal-length-'))
try {
  results['arithmetic-a + generalist, exact bytes'] = await measured(['arithmetic-a', 'generalist'], answers, small)
  const file = join(folder, 'eighth.gguf')
  await writeRandomModel(file, join(shippedModelsDirectory(), 'words', 'words.gguf'), EIGHTH_OF_LLAMA_1B)
  results['twice an eighth of Llama 3.2 1B, untrained, ten tokens'] = await measured([file, file], largeAnswers, large)
} finally {
  rmSync(folder, { recursive: true })
}
console.log(JSON.stringify(results, null, 1))
writeResult('token-level-equal-length', results)
