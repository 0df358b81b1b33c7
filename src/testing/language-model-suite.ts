import assert from 'node:assert/strict'
import { ModelCardSchema } from '../protocol/index.ts'
import type { GeneratePart, GenerateRequest, LanguageModel } from '../resource/index.ts'
import { isAbortError, toModelNetError } from '../utils/errors.ts'
import { decodeSessionCases } from './decode-session-suite.ts'
import { embedCases } from './embed-suite.ts'

/** One case of a contract suite, for any test runner: `for (const { name, run } of cases) it(name, run)`. */
export interface SuiteCase {
  readonly name: string
  run(): Promise<void>
}

/** A model under test, and what is behind it. */
export interface LanguageModelSubject {
  readonly model: LanguageModel
  /** Work that is in flight behind the model; cancellation must bring it to 0. */
  running?(): number
  close(): Promise<void>
}

export interface LanguageModelSuiteOptions {
  readonly create: () => Promise<LanguageModelSubject>
  /** A question whose greedy answer has at least four tokens and takes a few milliseconds. */
  readonly request: GenerateRequest
  /** Greatest difference of two probabilities that ought to be equal; batches of other shapes round otherwise. @default 1e-9 */
  readonly tolerance?: number
  /** The engine says itself when a prompt is too long. @default true */
  readonly detectsOverflow?: boolean
  /** The same seed gives the same sampled answer. @default true */
  readonly seeded?: boolean
}

/** What every `LanguageModel` keeps, whatever runs it and wherever. Capabilities that the card does not name are skipped. */
export function languageModelSuite(options: LanguageModelSuiteOptions): readonly SuiteCase[] {
  const { create, request, detectsOverflow = true, seeded = true } = options
  const one = (
    name: string,
    run: (model: LanguageModel, subject: LanguageModelSubject) => Promise<void>,
  ): SuiteCase => ({
    name,
    async run() {
      const subject = await create()
      try {
        await run(subject.model, subject)
      } finally {
        await subject.close()
      }
    },
  })
  const rejects = async (code: string, work: Promise<unknown>): Promise<void> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => toModelNetError(reason),
    )
    assert.equal(error?.code, code, error ? `${error.code}: ${error.message}` : `expected ${code}, got an answer`)
  }

  return [
    one('has a card that is valid on the wire', async model => {
      ModelCardSchema.parse(model.card)
    }),
    one('streams text and ends with one finish that tells the usage', async model => {
      const parts = await collect(model.generate(request))
      const last = parts.at(-1)
      assert.equal(last?.type, 'finish')
      assert.equal(parts.filter(part => part.type === 'finish').length, 1)
      assert.ok(textOf(parts).length > 0)
      assert.ok(last?.type === 'finish' && last.usage.promptTokens > 0 && last.usage.completionTokens > 0)
    }),
    one('gives the same greedy answer twice', async model => {
      assert.equal(await answer(model, request), await answer(model, request))
    }),
    one('stops at maxTokens and says so', async model => {
      const parts = await collect(model.generate({ ...request, maxTokens: 2 }))
      const last = parts.at(-1)
      assert.ok(last?.type === 'finish' && last.reason === 'length' && last.usage.completionTokens <= 2)
    }),
    one('ends before a stop text, also where it spans tokens', async model => {
      const whole = await answer(model, request)
      const at = positionOfPair(whole)
      assert.ok(at >= 0, `the answer has no two plain characters to stop at: ${JSON.stringify(whole)}`)
      const stop = whole.slice(at, at + 2)
      const parts = await collect(model.generate({ ...request, stop: [stop] }))
      assert.equal(textOf(parts), whole.slice(0, whole.indexOf(stop)))
      assert.ok(parts.some(part => part.type === 'finish' && part.reason === 'stop'))
    }),
    one('never shows half a character', async model => {
      for (const part of await collect(model.generate(request)))
        if (part.type === 'text-delta') assert.equal(part.text, Buffer.from(part.text, 'utf8').toString('utf8'))
    }),
    ...(seeded
      ? [
          one('samples the same answer with the same seed', async model => {
            const sampled = { ...request, temperature: 1, seed: 7 }
            assert.equal(await answer(model, sampled), await answer(model, sampled))
          }),
        ]
      : []),
    one('answers several at once as it does one', async model => {
      const alone = await answer(model, request)
      const together = await Promise.all([1, 2, 3].map(() => answer(model, request)))
      assert.deepEqual(together, [alone, alone, alone])
    }),
    one('stops working when the reader stops', async (model, subject) => {
      for await (const part of model.generate(request)) if (part.type !== 'finish') break
      await untilIdle(subject)
      assert.ok((await answer(model, request)).length > 0)
    }),
    one('lets an abort through, before and during the answer', async (model, subject) => {
      const aborted = await collect(model.generate(request, { signal: AbortSignal.abort() })).catch(error => error)
      assert.ok(isAbortError(aborted))
      const controller = new AbortController()
      const error = await (async () => {
        for await (const _ of model.generate(request, { signal: controller.signal })) controller.abort()
      })().catch(reason => reason)
      assert.ok(isAbortError(error), `expected an abort, got ${error}`)
      await untilIdle(subject)
    }),
    one('ends with DEADLINE_EXCEEDED when the time is over', async (model, subject) => {
      await rejects('DEADLINE_EXCEEDED', collect(model.generate(request, { deadlineMs: 1 })))
      await untilIdle(subject)
    }),
    ...(detectsOverflow
      ? [
          one('refuses a prompt beyond its context before it works', async model => {
            const content = 'word '.repeat(model.card.contextLength + 1)
            await rejects('CONTEXT_OVERFLOW', collect(model.generate({ messages: [{ role: 'user', content }] })))
          }),
        ]
      : []),
    ...decodeSessionCases({ ...options, one, rejects }),
    ...embedCases({ ...options, one, rejects }),
  ]
}

/** All parts of an answer. */
export async function collect(parts: AsyncIterable<GeneratePart>): Promise<readonly GeneratePart[]> {
  const collected: GeneratePart[] = []
  for await (const part of parts) collected.push(part)
  return collected
}

export const textOf = (parts: readonly GeneratePart[]): string =>
  parts.map(part => (part.type === 'text-delta' ? part.text : '')).join('')

const answer = async (model: LanguageModel, request: GenerateRequest): Promise<string> =>
  textOf(await collect(model.generate(request)))

/** A place after the first character where two plain characters stand side by side that do not occur earlier. */
function positionOfPair(text: string): number {
  for (let at = 1; at + 2 <= text.length; at++)
    if (/^[\x20-\x7e]{2}$/.test(text.slice(at, at + 2)) && text.indexOf(text.slice(at, at + 2)) === at) return at
  return -1
}

async function untilIdle(subject: LanguageModelSubject): Promise<void> {
  const { running } = subject
  if (!running) return
  for (let turn = 0; turn < 2000 && running() > 0; turn++) await new Promise(resolve => setTimeout(resolve, 1))
  assert.equal(running(), 0, 'work goes on after it was cancelled')
}
