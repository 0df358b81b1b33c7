import assert from 'node:assert/strict'
import { END } from '../protocol/index.ts'
import type { DecodeSession, Distribution, LanguageModel } from '../resource/index.ts'
import { ModelNetError } from '../utils/errors.ts'
import type { LanguageModelSubject, LanguageModelSuiteOptions, SuiteCase } from './language-model-suite.ts'

interface CaseMaker extends LanguageModelSuiteOptions {
  one(name: string, run: (model: LanguageModel, subject: LanguageModelSubject) => Promise<void>): SuiteCase
  rejects(code: string, work: Promise<unknown>): Promise<void>
}

/** What decode sessions and scores of a model keep: the part of the suite for capabilities `tokens`, `bytes`, `score`. */
export function decodeSessionCases({ one, rejects, request, tolerance = 1e-9 }: CaseMaker): readonly SuiteCase[] {
  const session = (
    name: string,
    kinds: readonly ('bytes' | 'tokens')[],
    run: (session: DecodeSession, model: LanguageModel) => Promise<void>,
  ): readonly SuiteCase[] =>
    kinds.map(kind =>
      one(`${name} (${kind})`, async model => {
        if (!model.open || !model.card.capabilities.includes(kind)) return
        const distribution = kind === 'bytes' ? ({ kind } as const) : ({ kind, top: 8 } as const)
        const opened = await model.open(request, { distribution })
        try {
          assert.deepEqual(opened.distribution, distribution)
          await run(opened, model)
        } finally {
          await opened.close()
        }
      }),
    )
  const both = ['bytes', 'tokens'] as const
  const same = (a: Distribution | undefined, b: Distribution | undefined, where: string): void => {
    assert.ok(a && b)
    const difference = distance(a, b)
    assert.ok(difference <= tolerance, `${where}: probabilities differ by ${difference}`)
  }

  return [
    ...session('gives distributions that sum to 1', both, async opened => {
      assert.ok(Math.abs(mass(await opened.next()) - 1) < 1e-3)
      const { bytes } = await opened.draft(4)
      for (const distribution of await opened.peek(bytes)) assert.ok(Math.abs(mass(distribution) - 1) < 1e-3)
    }),
    ...session('peeks what next gives after the commit', ['bytes'], async opened => {
      const proposed = (await opened.draft(5)).bytes
      const peeked = await opened.peek(proposed)
      assert.equal(peeked.length, proposed.length + 1)
      for (let offset = 0; offset <= proposed.length; offset++) {
        same(await opened.next(), peeked[offset], `offset ${offset}`)
        if (offset < proposed.length) await opened.commit(proposed.subarray(offset, offset + 1))
      }
    }),
    ...session('peeks what next gives after the commit', ['tokens'], async opened => {
      const first = await opened.next()
      assert.ok(first.kind === 'tokens')
      const proposed = first.candidates[0]?.bytes ?? new Uint8Array()
      const [before, after] = await opened.peek(proposed, [0, proposed.length])
      same(first, before, 'offset 0')
      await opened.commit(proposed)
      same(await opened.next(), after, `offset ${proposed.length}`)
    }),
    ...session('commits and answers in one step', both, async opened => {
      const proposed = (await opened.draft(3)).bytes
      const { distributions } = await opened.step({ commit: proposed, next: true })
      assert.equal(distributions?.length, 1)
      same(distributions?.[0], await opened.next(), 'after the step')
    }),
    ...session('drafts its own most probable continuation', ['bytes'], async opened => {
      const { bytes, end } = await opened.draft(6)
      assert.ok(bytes.length <= 6 && (bytes.length > 0 || end))
      for (const [offset, distribution] of (await opened.peek(bytes)).entries()) {
        assert.ok(distribution.kind === 'bytes')
        if (offset === bytes.length && !end) break
        const drafted = distribution.probabilities[offset < bytes.length ? (bytes[offset] ?? 0) : END] ?? 0
        // Greedy by token and greedy by byte may part where two tokens begin alike, but never far from the best byte.
        assert.ok(drafted > 0.2 * Math.max(...distribution.probabilities), `byte ${offset} of the draft is improbable`)
      }
    }),
    ...session('reports candidates as bytes, most probable first, with the rest stated', ['tokens'], async opened => {
      const distribution = await opened.next()
      assert.ok(distribution.kind === 'tokens' && distribution.candidates.length <= 8)
      const logprobs = distribution.candidates.map(candidate => candidate.logprob)
      assert.deepEqual(
        logprobs,
        [...logprobs].sort((a, b) => b - a),
      )
      assert.ok(distribution.candidates.every(candidate => candidate.bytes.length > 0))
    }),
    ...session('goes on after bytes it would never say, and after half a character', both, async opened => {
      await opened.commit(Uint8Array.of(0x7e, 0xe4, 0xbd))
      assert.ok(Math.abs(mass(await opened.next()) - 1) < 1e-3)
    }),
    ...session('may be closed twice and refuses steps afterwards', both, async opened => {
      await opened.close()
      await opened.close()
      await rejects('INVALID_REQUEST', opened.next())
    }),
    ...session('lets an abort of one step through', ['bytes'], async opened => {
      await rejects('CANCELLED', opened.next({ signal: AbortSignal.abort() }))
    }),
    one('scores a text no higher than its bytes, and near to them', async model => {
      if (!model.score || !model.open || !model.card.capabilities.includes('bytes')) return
      const opened = await model.open(request, { distribution: { kind: 'bytes' } })
      try {
        const { bytes } = await opened.draft(8)
        const text = plainBeginning(bytes)
        const peeked = await opened.peek(new TextEncoder().encode(text))
        let exact = 0
        for (let index = 0; index < text.length; index++) {
          const distribution = peeked[index]
          assert.ok(distribution?.kind === 'bytes')
          exact += Math.log(distribution.probabilities[text.charCodeAt(index)] ?? 0)
        }
        const score = await model.score({ messages: request.messages, text })
        assert.equal(score.bytes, text.length)
        const slack = text.length * Math.max(tolerance * 10, 1e-9)
        assert.ok(score.logprob <= exact + slack, `score ${score.logprob} above the bytes' ${exact}`)
        assert.ok(score.logprob > exact - 5, `score ${score.logprob} far below the bytes' ${exact}`)
      } finally {
        await opened.close()
      }
    }),
    one('refuses what its card does not offer', async model => {
      const { capabilities } = model.card
      const offers = capabilities.includes('tokens') || capabilities.includes('bytes')
      if (offers !== (model.open !== undefined))
        throw new ModelNetError('INTERNAL', 'card and model differ about `open`')
      assert.equal(model.score !== undefined, capabilities.includes('score'))
      assert.equal(model.embed !== undefined, capabilities.includes('embed'))
    }),
  ]
}

function mass(distribution: Distribution): number {
  if (distribution.kind === 'bytes') return distribution.probabilities.reduce((sum, value) => sum + value, 0)
  return distribution.candidates.reduce(
    (sum, candidate) => sum + Math.exp(candidate.logprob),
    Math.exp(distribution.end) + distribution.residual,
  )
}

/** The greatest difference of two probabilities. */
function distance(a: Distribution, b: Distribution): number {
  if (a.kind === 'bytes' && b.kind === 'bytes')
    return Math.max(...a.probabilities.map((value, symbol) => Math.abs(value - (b.probabilities[symbol] ?? 0))))
  if (a.kind !== 'tokens' || b.kind !== 'tokens') return 1
  const others = new Map(b.candidates.map(({ bytes, logprob }) => [bytes.join(), Math.exp(logprob)]))
  const smallest = Math.min(...others.values())
  // A candidate that the other does not report is as improbable as the other's last, or less.
  const differences = a.candidates.map(({ bytes, logprob }) =>
    Math.abs(Math.exp(logprob) - (others.get(bytes.join()) ?? smallest)),
  )
  return Math.max(Math.abs(Math.exp(a.end) - Math.exp(b.end)), ...differences)
}

/** The longest beginning in plain ASCII; one space when there is none. */
function plainBeginning(bytes: Uint8Array): string {
  const end = bytes.findIndex(byte => byte < 0x20 || byte > 0x7e)
  const plain = end < 0 ? bytes : bytes.subarray(0, end)
  return plain.length > 0 ? new TextDecoder().decode(plain) : ' '
}
