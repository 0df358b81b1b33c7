import { describe, expect, it } from 'vitest'
import type { GenerateRequest } from '../../protocol/index.ts'
import { createScriptedModel } from '../../testing/index.ts'
import { createRandom } from '../../utils/random.ts'
import { createScriptedNetwork } from '../scripted-network.ts'
import { evaluateMutually } from './evaluate.ts'
import { GraphStore } from './graph-store.ts'

const promptOf = ({ messages }: GenerateRequest): string => messages.map(({ content }) => content).join('\n')

/** Answers `answer`, rewrites to `rewrite`, and approves only of what holds `approves`. */
const member = (
  id: string,
  answer: string,
  approves: RegExp,
  rewrite = answer,
): ReturnType<typeof createScriptedModel> =>
  createScriptedModel({
    id,
    node: id,
    answer: request => {
      const prompt = promptOf(request)
      if (prompt.includes('approve or disapprove')) {
        const quoted = /\n([^\n]*)\n\[end of quote/u.exec(prompt)?.[1] ?? ''
        return approves.test(quoted) ? 'I approve.' : 'I do not accept this: it is wrong.'
      }
      return prompt.includes('[quote') ? rewrite : answer
    },
  })

const hopsOf = (events: readonly { readonly type: string; readonly message?: string }[]): number =>
  events.filter(({ type, message }) => type === 'note' && message?.startsWith('hop ')).length

describe('dynamic collaborative routing', () => {
  it('stops at once when nobody objects', async () => {
    const network = createScriptedNetwork([
      member('weak', 'right', /right/),
      member('strong', 'right', /right/),
      member('other', 'x', /right/),
    ])
    expect((await network.ask('?', 'dynamic(weak)')).text).toBe('right')
    expect(hopsOf(network.events)).toBe(0)
  })

  it('lets one who objects rewrite, until nobody objects', async () => {
    const network = createScriptedNetwork([
      member('strong', 'right', /right/),
      member('other', 'x', /right/),
      member('weak', 'wrong', /./),
    ])
    const result = await network.ask('?', 'dynamic(weak)')
    expect(result.text).toBe('right')
    expect(hopsOf(network.events)).toBe(1)
  })

  it('takes at most alpha hops, may come back to a model, and keeps the answer most approved of', async () => {
    const stubborn = ['a', 'b', 'c'].map(id => member(id, `by ${id}`, new RegExp(id === 'a' ? 'by c' : 'never')))
    const network = createScriptedNetwork(stubborn)
    const result = await network.ask('?', 'dynamic(a, hops=4)')
    expect(hopsOf(network.events)).toBe(4)
    expect(result.text).toBe('by c') // half of its judges approved, of all others nobody did
    const rewriters = network.events.flatMap(event =>
      event.type === 'call-start' && event.call.startsWith('0.h') ? [event.model] : [],
    )
    expect(new Set(rewriters).size).toBeLessThan(rewriters.length)
  })

  it('never ends worse than it began: silent judges and lost helpers change nothing', async () => {
    const mute = createScriptedModel({ id: 'mute', node: 'm', answer: '…' })
    const lost = createScriptedModel({ id: 'lost', node: 'l', failure: { afterParts: 0 } })
    expect((await createScriptedNetwork([mute, lost, member('a', 'mine', /./)]).ask('?', 'dynamic(a)')).text).toBe(
      'mine',
    )
  })

  it('asks those whom the graph of who can help names', async () => {
    const store = new GraphStore()
    const scores = {
      Qwen: { Baichuan: 2.4, ERNIE: 2.6, DS: 1.9 },
      Baichuan: { Qwen: 2.6, ERNIE: 2.8, DS: 2.6 },
      ERNIE: { Qwen: 2.5, Baichuan: 2.2, DS: 1.7 },
      DS: { Qwen: 2.4, Baichuan: 2.2, ERNIE: 2.5 },
    }
    for (const [grader, row] of Object.entries(scores))
      for (const [graded, score] of Object.entries(row))
        for (let task = 0; task < 3; task++) store.observe(grader, graded, score)
    const all = Object.keys(scores).map(id => member(id, id, /ERNIE|Qwen/))
    const network = createScriptedNetwork(all, { graph: store })
    await network.ask('?', 'dynamic(DS, explore=0)')
    const judged = network.events.flatMap(event =>
      event.type === 'call-start' && event.call.startsWith('0.v0') ? [event.model] : [],
    )
    expect(judged.sort()).toEqual(['ERNIE', 'Qwen'])
  })

  it.each([
    [0, ['improver']],
    [1, ['improver', 'peculiar']],
  ])('asks one whose gain is uncertain with probability %d', async (explore, expected) => {
    const store = new GraphStore()
    const scores = {
      peculiar: { improver: 1, lenient: 1, weak: 1 },
      improver: { lenient: 3, weak: 1, peculiar: 1 },
      lenient: { improver: 3, weak: 2, peculiar: 3 },
      weak: { improver: 3, lenient: 3, peculiar: 1 },
    }
    for (const [grader, row] of Object.entries(scores))
      for (const [graded, score] of Object.entries(row))
        for (let task = 0; task < 3; task++) store.observe(grader, graded, score)
    expect(store.graph().uncertain['weak']).toEqual(['peculiar'])
    const network = createScriptedNetwork(
      Object.keys(scores).map(id => member(id, id, /./)),
      { graph: store },
    )
    await network.ask('?', `dynamic(weak, explore=${explore})`)
    const judged = network.events.flatMap(event =>
      event.type === 'call-start' && event.call.startsWith('0.v0') ? [event.model] : [],
    )
    expect(judged.sort()).toEqual(expected)
  })
})

describe('the graph', () => {
  it('changes within twenty tasks when a model is replaced by a better one', () => {
    const store = new GraphStore()
    const names = ['a', 'b', 'c']
    for (let task = 0; task < 50; task++)
      for (const grader of names)
        for (const graded of names)
          if (grader !== graded) store.observe(grader, graded, graded === 'c' ? 1 : grader === 'b' ? 2 : 3)
    expect(store.graph().states['c']).not.toBe('improver')
    for (let task = 0; task < 20; task++) {
      store.observe('a', 'c', 3)
      store.observe('b', 'c', 3)
      store.observe('c', 'a', 1)
      store.observe('c', 'b', 1)
    }
    expect(store.graph().states['c']).toBe('improver')
    expect(store.graph().helpers['b']).toContain('c')
  })

  it('prefers helpers whose rewritings held', () => {
    const store = new GraphStore()
    expect(store.repairRate('x', 'y')).toBe(0.5)
    for (let count = 0; count < 8; count++) store.observeRepair('x', 'y', true)
    expect(store.repairRate('x', 'y')).toBeCloseTo(0.9)
  })
})

describe('mutual evaluation of live models', () => {
  it('learns who can improve whom, and leaves out what is no grade', async () => {
    const grading = (
      id: string,
      answer: string,
      grade: (quoted: string) => string,
    ): ReturnType<typeof createScriptedModel> =>
      createScriptedModel({
        id,
        node: id,
        answer: request => {
          const prompt = promptOf(request)
          return prompt.includes('grade it') ? grade(/\n([^\n]*)\n\[end of quote/u.exec(prompt)?.[1] ?? '') : answer
        },
      })
    const strict = (quoted: string): string => (quoted.includes('good') ? 'Grade: B' : 'Grade: C')
    const models = [
      grading('strict', 'good', strict),
      grading('mild', 'good', () => 'A'),
      grading('weak', 'bad', () => 'I would say (A).'),
      grading('mute', 'bad', () => 'hm'),
    ]
    const store = new GraphStore()
    const counts = await evaluateMutually(models, ['one', 'two', 'three'], store, { random: createRandom(1) })
    expect(counts).toEqual({ grades: 27, unreadable: 9, failed: 0 })
    const { states, helpers } = store.graph()
    expect(states['strict']).toBe('improver')
    expect(helpers['weak']).toContain('strict')
  })
})
