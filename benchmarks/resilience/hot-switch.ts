/**
 * Is an answer whole when the node that gives it is killed at any point?
 *
 * Three nodes in this process over a network in memory: two hold the same shipped models (one engine process computes
 * for both), the third asks. Each trial asks one question greedily, kills the node that answers after a random number
 * of parts (from none to all but the last), compares the text with the one the model gives undisturbed, and starts the
 * node again. Limit: every text equal.
 *
 * Run: npx tsx benchmarks/resilience/hot-switch.ts [--kills 200] [--seed 1]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { shippedModel, shippedModelsDirectory } from '../../src/application/shipped-models.ts'
import { createMemoryHub } from '../../src/network/index.ts'
import type { GenerateRequest, LanguageModel, LoadedModel } from '../../src/resource/index.ts'
import { createWorkerEngine } from '../../src/resource/index.ts'
import { systemClock as clock } from '../../src/utils/clock.ts'
import { toModelNetError } from '../../src/utils/errors.ts'
import { createRandom } from '../../src/utils/random.ts'
import { writeResult } from '../support.ts'
import { type BenchNode, quantile, seesAll, startBenchNode, until } from './node.ts'

const NAMES = ['geography', 'arithmetic-a', 'words', 'elements', 'calendar', 'units']
const QUESTIONS_EACH = 20

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
})
const kills = Number(values.kills)

interface Read {
  readonly text: string
  readonly parts: number
  readonly completionTokens: number
}

async function read(
  model: LanguageModel,
  request: GenerateRequest,
  onPart?: (count: number) => Promise<void>,
): Promise<Read> {
  let text = ''
  let parts = 0
  let completionTokens = 0
  for await (const part of model.generate(request)) {
    if (part.type === 'finish') completionTokens = part.usage.completionTokens
    if (part.type !== 'text-delta') continue
    text += part.text
    parts++
    await onPart?.(parts)
  }
  return { text, parts, completionTokens }
}

const engine = createWorkerEngine()
try {
  const random = createRandom(`hot switch ${values.seed}`)
  const models = new Map<string, LoadedModel>()
  for (const name of NAMES)
    models.set(name, await engine.load({ ...shippedModel(name).spec, concurrency: 4 }, { node: 'x' }))
  const hub = createMemoryHub({ clock })
  let serving = ''
  const asker = await startBenchNode({
    hub,
    onCall: node => {
      serving = node
    },
  })
  const start = (identity?: BenchNode['identity']): Promise<BenchNode> =>
    startBenchNode({
      hub,
      bootstrap: [asker.address],
      models: [...models.values()],
      ...(identity && { identity }),
    })
  let holders = [await start(), await start()]
  const formed = (): boolean => seesAll([asker, ...holders])
  await until('the network forms', formed)

  const whole = new Map<string, Read>()
  const differing: object[] = []
  const failures: string[] = []
  const positions: number[] = []
  let equal = 0
  let sameUsage = 0
  let struckMidway = 0
  for (let trial = 0; trial < kills; trial++) {
    const name = NAMES[trial % NAMES.length] ?? ''
    const model = models.get(name)
    if (!model) throw new Error(`no model ${name}`)
    const rows = readFileSync(join(shippedModelsDirectory(), name, 'heldout.jsonl'), 'utf8').split('\n')
    const { question } = JSON.parse(rows[Math.floor(random.next() * QUESTIONS_EACH)] ?? '') as { question: string } // our own file
    const request: GenerateRequest = { messages: [{ role: 'user', content: question }], temperature: 0 }
    const expected = whole.get(question) ?? (await read(model, request))
    whole.set(question, expected)
    const position = Math.floor(random.next() * expected.parts)
    positions.push(position)
    let victim: BenchNode | undefined
    serving = ''
    const strike = async (): Promise<void> => {
      victim = holders.find(holder => holder.id === serving)
      if (!victim) throw new Error('nobody serves')
      if (position > 0) struckMidway++
      await victim.kill()
    }
    try {
      const candidates = asker.candidates(model.card.id)
      const asked = read(asker.failover(candidates), request, async count => {
        if (position > 0 && count === position) await strike()
      })
      // before the first part: as soon as the call is on its way
      if (position === 0) {
        asked.catch(() => undefined) // awaited below
        await until('the call begins', () => serving !== '')
        await strike()
      }
      const { text, completionTokens } = await asked
      if (text === expected.text) equal++
      else differing.push({ question, position, expected: expected.text, text })
      if (completionTokens === expected.completionTokens) sameUsage++
    } catch (error) {
      failures.push(`${question} at ${position}: ${toModelNetError(error).message}`)
    }
    const lost = victim
    if (!lost) {
      failures.push(`trial ${trial} struck nobody`)
      continue
    }
    holders = await Promise.all(holders.map(holder => (holder === lost ? start(lost.identity) : holder)))
    await until('the network forms again', formed)
  }
  await Promise.all([asker, ...holders].map(node => node.kill()))
  const figures = {
    kills,
    inMidAnswer: struckMidway,
    position: { p50: quantile(positions, 0.5), last: Math.max(...positions) },
    completeAndEqual: equal,
    sameUsage,
    failed: failures.length,
    failures: failures.slice(0, 10),
    differing,
  }
  console.log(figures)
  writeResult('resilience-hot-switch', {
    question: 'Texts equal to the undisturbed one when the answering node is killed at a random position',
    setting: 'nodes in one process over a network in memory, shipped models on one engine, temperature 0',
    ...figures,
  })
} finally {
  await engine.close()
}
