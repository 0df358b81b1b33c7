import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createScriptedModel } from '../../testing/index.ts'
import { isModelNetError } from '../../utils/errors.ts'
import type { AskResult } from '../result.ts'
import type { ScriptedNetwork } from '../scripted-network.ts'
import { createScriptedNetwork } from '../scripted-network.ts'
import type { Term } from './term.ts'

/** Models whose answer depends on all they were asked, so that any change in who sees what changes the text. */
const NAMES = ['a', 'b', 'c', 'd'] as const
const FAILING = 'f'

const models = (): ReturnType<typeof createScriptedModel>[] => [
  ...NAMES.map(id =>
    createScriptedModel({
      id,
      node: id,
      answer: ({ messages }) => {
        const prompt = messages
          .map(({ content }) => content)
          .join('\n')
          .replace(/quote \w+/gu, 'quote')
        return `${id}${[...prompt].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 7, 0)}`
      },
    }),
  ),
  createScriptedModel({ id: FAILING, node: FAILING, failure: { afterParts: 0 } }),
]

const network = (): ScriptedNetwork => createScriptedNetwork(models(), { analysis: { format: 'text' } })
const calls = ({ events }: ScriptedNetwork): number => events.filter(({ type }) => type === 'call-start').length

const call: fc.Arbitrary<Term> = fc.constantFrom(...NAMES).map(name => ({ call: name }))
const { term } = fc.letrec<{ term: Term }>(tie => {
  const some = fc.array(tie('term'), { minLength: 1, maxLength: 3 })
  const maybe = fc.oneof({ weight: 4, arbitrary: call }, { weight: 1, arbitrary: fc.constant<Term>({ call: FAILING }) })
  return {
    term: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'laws' },
      maybe,
      some.map(seq => ({ seq })),
      some.map(par => ({ par })),
      some.map(par => ({ seq: [{ par }, { pick: 'vote' }] })),
      fc.tuple(tie('term'), tie('term')).map(([gate, other]) => ({ gate, else: other, accept: 'agree' })),
      some.map(orElse => ({ orElse })),
      fc.tuple(tie('term'), fc.integer({ min: 1, max: 2 })).map(([loop, max]) => ({ loop, until: 'consensus', max })),
      fc.tuple(tie('term'), fc.integer({ min: 1, max: 4 })).map(([of, limit]) => ({ within: { calls: limit }, of })),
      some.map(of => ({ strategy: 'debate', of, with: { rounds: 1 } })),
    ) as fc.Arbitrary<Term>,
  }
})

const attempt = async (net: ScriptedNetwork, pathway: Term | string): Promise<AskResult | string> => {
  try {
    return await net.ask('What?', pathway, { options: { seed: 1 } })
  } catch (error) {
    if (isModelNetError(error)) return error.code
    throw error
  }
}
const textOf = (result: AskResult | string): string => (typeof result === 'string' ? result : result.text)

describe('a hostile pathway', () => {
  const nested = (depth: number, wrap: (inner: string) => string): string =>
    depth === 0 ? 'a' : wrap(nested(depth - 1, wrap))

  it.each([
    ['strategies that repeat their members', nested(8, inner => `moa(${inner} | a, layers=16)`), 'terms'],
    ['loops within loops', nested(8, inner => `loop(${inner}, until=sure, max=64)`), 'rounds'],
    ['answers that double', 'a | b > loop(par(seq(pick(all)), seq(pick(all))), until=confident, max=64)', 'answers'],
  ])('%s is refused before anything runs', async (_, pathway, problem) => {
    expect(() => network().coordinator.inspect(pathway)).toThrow(problem)
    const net = network()
    expect(await attempt(net, pathway)).toBe('INVALID_PATHWAY')
    expect(calls(net)).toBe(0)
  })
})

/** Of three debaters one may speak. */
const refused: Term = {
  within: { calls: 1 },
  of: { strategy: 'debate', of: [{ call: 'a' }, { call: 'a' }, { call: 'a' }], with: { rounds: 1 } },
}

describe('the algebra', () => {
  it('never makes more calls than its bound says, nor deeper', async () => {
    await fc.assert(
      fc.asyncProperty(term, async pathway => {
        const net = network()
        const { bound } = net.coordinator.inspect(pathway)
        await attempt(net, pathway)
        expect(calls(net)).toBeLessThanOrEqual(bound.calls)
        expect(bound.depth).toBeLessThanOrEqual(bound.calls)
      }),
      { numRuns: 60 },
    )
  })

  it('replays to the same text', async () => {
    await fc.assert(
      fc.asyncProperty(term, async pathway => {
        const net = network()
        const result = await attempt(net, pathway)
        fc.pre(typeof result !== 'string')
        const run = net.coordinator.replay(JSON.parse(JSON.stringify(result.trace)))
        let step = await run.next()
        while (!step.done) step = await run.next()
        expect(step.value.text).toBe(result.text)
      }),
      // calls that a budget refused are in no trace
      { numRuns: 40, examples: [[{ seq: [{ within: { calls: 1 }, of: { call: 'a' } }, refused] }]] },
    )
  })

  it('is associative in sequence', async () => {
    await fc.assert(
      fc.asyncProperty(term, term, term, async (x, y, z) => {
        const left = await attempt(network(), { seq: [{ seq: [x, y] }, z] })
        const right = await attempt(network(), { seq: [x, { seq: [y, z] }] })
        // Errors and keep-best are the same too, except that a group that fails as a whole is left out as a whole.
        fc.pre(
          typeof left !== 'string' && typeof right !== 'string' && !mentions([x, y, z], FAILING) && !limits([x, y, z]),
        )
        expect(textOf(left)).toBe(textOf(right))
      }),
      { numRuns: 30 },
    )
  })

  it('votes the same whatever the order of the branches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 3, maxLength: 4 }), async names => {
        const fixed = (order: readonly string[]): Promise<AskResult> =>
          createScriptedNetwork(
            NAMES.map((id, index) => createScriptedModel({ id, node: id, answer: index < 2 ? '7' : `${index}` })),
          ).ask('?', {
            seq: [{ par: order.map(name => ({ call: name })) }, { pick: 'vote' }],
          })
        fc.pre(names.includes('a') && names.includes('b'))
        expect((await fixed(names)).text).toBe('7')
        expect((await fixed(names.toReversed())).text).toBe('7')
      }),
    )
  })

  it('takes the first of orElse when it succeeds, and asks nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(call, term, async (x, y) => {
        const net = network()
        const either = await attempt(net, { orElse: [x, y] })
        expect(textOf(either)).toBe(textOf(await attempt(network(), x)))
        expect(calls(net)).toBe(1)
      }),
      { numRuns: 25 },
    )
  })

  it('frees everything when it is stopped anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(term, fc.integer({ min: 0, max: 12 }), async (pathway, after) => {
        const all = models()
        const net = createScriptedNetwork(all, { analysis: { format: 'text' } })
        const task = {
          id: 't',
          messages: [{ role: 'user' as const, content: '?' }],
          options: {},
          budget: {},
          preference: { quality: 1, cost: 0, latency: 0 },
        }
        const run = net.coordinator.ask(task, { pathway })
        try {
          for (let index = 0; index <= after; index++) if ((await run.next()).done) break
        } catch (error) {
          expect(isModelNetError(error)).toBe(true)
        }
        await run.return(undefined as never)
        await new Promise(resolve => setImmediate(resolve))
        expect(all.reduce((sum, { running }) => sum + running, 0)).toBe(0)
      }),
      { numRuns: 40 },
    )
  })
})

const mentions = (terms: readonly Term[], name: string): boolean => JSON.stringify(terms).includes(`"call":"${name}"`)
const limits = (terms: readonly Term[]): boolean => JSON.stringify(terms).includes('"within"')
