import assert from 'node:assert/strict'
import type { Embedding, LanguageModel } from '../resource/index.ts'
import { isAbortError } from '../utils/errors.ts'
import type { LanguageModelSubject, LanguageModelSuiteOptions, SuiteCase } from './language-model-suite.ts'

const TEXTS = ['hello the world', 'the other thing', 'hello the world', '你好 café']
/** Enough that no model is done within a millisecond. */
const MANY: readonly string[] = Array.from({ length: 200 }, (_, at) => `${'hello the world '.repeat(8)}${at}`)
/** Batches of other shapes round otherwise, and some engines keep 16 bits. */
const TOLERANCE = 1e-3

type Embed = NonNullable<LanguageModel['embed']>

/** What every model keeps whose card says `embed`; nothing where it does not. */
export function embedCases({
  one,
  rejects,
  detectsOverflow = true,
}: Pick<LanguageModelSuiteOptions, 'detectsOverflow'> & {
  one(name: string, run: (model: LanguageModel, subject: LanguageModelSubject) => Promise<void>): SuiteCase
  rejects(code: string, work: Promise<unknown>): Promise<void>
}): readonly SuiteCase[] {
  const embeds = (name: string, run: (embed: Embed, model: LanguageModel) => Promise<void>): SuiteCase =>
    one(name, async model => {
      const { embed } = model
      assert.equal(embed !== undefined, model.card.capabilities.includes('embed'))
      if (embed) await run((request, options) => embed.call(model, request, options), model)
    })
  return [
    embeds('embeds texts in their order, each as a vector of unit length', async embed => {
      const { embeddings, promptTokens } = await embed({ texts: TEXTS })
      const [first, other, again] = embeddings
      assert.equal(embeddings.length, TEXTS.length)
      assert.ok(first && other && again && promptTokens >= TEXTS.length)
      for (const vector of embeddings) {
        assert.equal(vector.length, first.length)
        assert.ok(Math.abs(cosine(vector, vector) - 1) < TOLERANCE)
      }
      assert.ok(cosine(first, again) > 1 - TOLERANCE, 'the same text has two embeddings')
      assert.ok(cosine(first, other) < 1 - TOLERANCE, 'two texts have the same embedding')
    }),
    embeds('embeds a text alone, among others and beside other calls alike', async embed => {
      const { embeddings } = await embed({ texts: TEXTS })
      const alone = await Promise.all(TEXTS.map(text => embed({ texts: [text] })))
      alone.forEach((result, at) => {
        assert.ok(cosine(result.embeddings[0] ?? [], embeddings[at] ?? []) > 1 - TOLERANCE)
      })
    }),
    embeds('lets an abort through, before and while it embeds', async embed => {
      const before = await embed({ texts: TEXTS }, { signal: AbortSignal.abort() }).catch(error => error)
      assert.ok(isAbortError(before), `expected an abort, got ${before}`)
      const controller = new AbortController()
      const embedding = embed({ texts: MANY }, { signal: controller.signal })
      controller.abort()
      const during = await embedding.catch(error => error)
      assert.ok(isAbortError(during), `expected an abort, got ${during}`)
      assert.equal((await embed({ texts: TEXTS })).embeddings.length, TEXTS.length)
    }),
    embeds('ends with DEADLINE_EXCEEDED when the time to embed is over', async embed => {
      await rejects('DEADLINE_EXCEEDED', embed({ texts: MANY }, { deadlineMs: 1 }))
    }),
    embeds('refuses to embed an empty text', async embed => {
      await rejects('INVALID_REQUEST', embed({ texts: ['one', ''] }))
    }),
    ...(detectsOverflow
      ? [
          embeds('refuses to embed a text beyond its context', async (embed, model) => {
            await rejects('CONTEXT_OVERFLOW', embed({ texts: ['word '.repeat(model.card.contextLength + 1)] }))
          }),
        ]
      : []),
  ]
}

function cosine(a: Embedding, b: Embedding): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)
}
