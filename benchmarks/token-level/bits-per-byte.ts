/**
 * Question: how well do joint byte distributions predict held-out answers of each field, against single models?
 * Baselines: each model alone, and the best of them on that field.
 * Run: npx tsx benchmarks/token-level/bits-per-byte.ts [--texts 40]
 * Writes benchmarks/results/token-level-bits-per-byte.json. The text of a field are answers that the field's own
 * specialists write to held-out questions and that are right, so that the length of an explanation counts too. All
 * models that take part are fused alike: what is seen is what weights learned along the text are worth.
 */

import type { FusionOptions } from '../../src/interaction/index.ts'
import { END } from '../../src/protocol/index.ts'
import type { DecodeSession } from '../../src/resource/index.ts'
import { writeResult } from '../support.ts'
import { argument, fuse, isRight, loadFamily, open, rounded, write } from './models.ts'

const texts = argument('texts', 40)
const family = await loadFamily()
const fields = family.names.filter(name => !['planner', 'reviewer', 'generalist'].includes(name))

const FUSIONS: Readonly<Record<string, FusionOptions>> = {
  'mean, fixed weights': { learn: false },
  'mean, learned weights (rate 0.3)': {},
  'mean, learned weights (rate 1)': { learn: { rate: 1 } },
  'product, fixed weights': { rule: 'product', learn: false },
  'robust, fixed weights': { rule: 'robust', learn: false },
}

/** Bits of a text and its end, by a session that is led through it. */
async function bitsOf(session: DecodeSession, bytes: Uint8Array): Promise<number> {
  const ahead = await session.peek(bytes)
  await session.close()
  return [...bytes, END].reduce((sum, symbol, at) => {
    const distribution = ahead[at]
    const probability = distribution?.kind === 'bytes' ? (distribution.probabilities[symbol] ?? 0) : 0
    return sum - Math.log2(Math.max(probability, 1e-12))
  }, 0)
}

const results: Record<string, object> = {}
for (const field of fields) {
  const corpus: { readonly question: string; readonly bytes: Uint8Array }[] = []
  for (const question of await family.questions(field)) {
    if (corpus.length >= texts) break
    const { text } = await write(await open(family.model(field), question.question))
    if (isRight(question, text)) corpus.push({ question: question.question, bytes: new TextEncoder().encode(text) })
  }
  const size = corpus.reduce((sum, { bytes }) => sum + bytes.length + 1, 0)
  const perByte = async (make: (question: string) => Promise<DecodeSession>): Promise<number> => {
    let bits = 0
    for (const { question, bytes } of corpus) bits += await bitsOf(await make(question), bytes)
    return rounded(bits / size, 4)
  }
  const single: Record<string, number> = {}
  for (const name of fields) single[name] = await perByte(question => open(family.model(name), question))
  const fused: Record<string, number> = {}
  for (const [label, options] of Object.entries(FUSIONS))
    fused[label] = await perByte(question => fuse(family, fields, question, { ...options, lateMs: 30_000 }))
  results[field] = { texts: corpus.length, bytes: size, single, fused }
  console.log(field, JSON.stringify(results[field], null, 1))
}
await family.close()
writeResult('token-level-bits-per-byte', { members: fields, results })
