import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelNetError } from '../../utils/errors.ts'
import { simpleMath } from '../datasets/simple-math.ts'
import type { Question } from '../question.ts'
import { renderText } from '../report/document.ts'
import { renderHtml } from '../report/html.ts'
import { evaluate } from '../run.ts'
import type { FusedAnswer, PaperBench } from './bench.ts'
import { fusionSystem, pathwaySystem } from './bench.ts'
import { collaborationGraph } from './collaboration-graph.ts'
import { duetnet } from './duetnet.ts'
import { generalisation } from './generalisation.ts'
import { mixed } from './mixed.ts'
import { mutualEvaluation } from './mutual.ts'
import { outcomeSplit } from './outcomes.ts'
import { paths } from './paths.ts'
import { expectedAccuracy, offlineAt, stability } from './stability.ts'
import { combinations, parallelToSerial, permutations, serial, serialToParallel } from './terms.ts'

const question = (id: string, answer: string): Question => ({
  id,
  question: `Question ${id}`,
  answer,
  grader: 'number',
})
const questions = Array.from({ length: 40 }, (_, index) => question(`q${index}`, String(index)))
const sets = [
  { name: 'even', questions: questions.filter((_, index) => index % 2 === 0) },
  { name: 'odd', questions: questions.filter((_, index) => index % 2 === 1) },
]

/** Members know the questions of their table; the network is right when anyone who is online is. */
function scriptedBench(skills: Readonly<Record<string, (index: number) => boolean>>, asked: string[] = []): PaperBench {
  const members = Object.keys(skills)
  const knows = (member: string, { id }: Question): boolean => skills[member]?.(Number(id.split('q').at(-1))) ?? false
  const answer = (who: readonly string[], asking: Question, offline: ReadonlySet<string> = new Set()): FusedAnswer => {
    const online = who.filter(member => !offline.has(member))
    if (online.length === 0) throw new ModelNetError('NO_CANDIDATE', 'nobody is online')
    const text = online.some(member => knows(member, asking)) ? asking.answer : '-1'
    return {
      text,
      usage: { promptTokens: 2, completionTokens: 3 },
      ms: 4,
      calls: online.length,
      candidates: 6,
      steps: 3,
    }
  }
  return {
    members,
    ask: async (pathway, asking, options) => {
      asked.push(pathway)
      const named = members.filter(member => pathway === '*' || pathway.includes(`"${member}"`))
      return answer(named, asking, options?.offline)
    },
    // who knows is sure of the right answer; who does not finds everything equally likely
    likelihood: async (member, asking, text) => (knows(member, asking) ? (text === asking.answer ? 0 : -5) : -2),
    fuse: async (who, recipe, asking, options) => {
      asked.push(`${who.join('+')} ${recipe.method}`)
      return answer(who, asking, options?.offline)
    },
  }
}

const skills = {
  a: (index: number) => index % 2 === 0,
  b: (index: number) => index % 2 === 1,
  c: (index: number) => index < 10,
  d: () => false,
}

describe('stability', () => {
  it('computes the exact expectation under independence', () => {
    const members = ['a', 'b', 'c', 'd', 'e']
    // five equal members, first online answers: A (1 - (1 - r)^5); 31/32 A at r = 0.5, as the paper's reading says
    expect(expectedAccuracy(members, 0.5, () => 0.6)).toBeCloseTo(0.6 * (31 / 32), 12)
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        rate => Math.abs(expectedAccuracy(members, rate, () => 1) - (1 - (1 - rate) ** 5)) < 1e-9,
      ),
    )
  })

  it('draws who is offline per member and request, losing members only as the rate falls', () => {
    const members = ['a', 'b', 'c']
    for (const asked of questions) {
      expect(offlineAt(1, members, asked, 1).size).toBe(0)
      for (const member of offlineAt(0.8, members, asked, 1))
        expect(offlineAt(0.5, members, asked, 1)).toContain(member)
    }
    const many = simpleMath(3000)
    const share = (rate: number): number =>
      many.filter(asked => offlineAt(rate, members, asked, 1).has('b')).length / many.length
    expect(share(0.5)).toBeCloseTo(0.5, 1)
    expect(share(0.9)).toBeCloseTo(0.1, 1)
  })

  it('shows the network hold where single members fall in proportion, near the expectation', async () => {
    const bench = scriptedBench({ a: () => true, b: () => true, c: () => true })
    const result = await stability(bench, {
      questions: simpleMath(300),
      members: bench.members,
      network: { pathway: '*' },
      title: 'Stability',
    })
    const rates = result.figures['rates'] as {
      rate: number
      network: { estimate: number }
      expected: number
      singles: Record<string, number>
    }[]
    expect(rates[0]).toMatchObject({ rate: 1, network: { estimate: 1 }, expected: 1 })
    expect(rates.at(-1)).toMatchObject({ rate: 0.5, expected: expect.closeTo(1 - 1 / 8, 10) })
    expect(rates.at(-1)?.network.estimate).toBeCloseTo(7 / 8, 1)
    expect(rates.at(-1)?.singles['a']).toBeCloseTo(0.5, 1)
  })

  it('asks one set of each size where members are alike, and expects the same', async () => {
    const run = async (alike: boolean) => {
      const asked: string[] = []
      const bench = scriptedBench({ a: index => index < 30, b: index => index < 30, c: index => index < 30 }, asked)
      const result = await stability(bench, {
        questions,
        members: bench.members,
        network: { pathway: '*' },
        title: '',
        alike,
      })
      const rates = result.figures['rates'] as { expected: number; expectedSingles: Record<string, number> }[]
      return {
        calls: asked.length,
        expected: rates.map(({ expected, expectedSingles }) => [expected, expectedSingles['b']]),
      }
    }
    const [all, one] = [await run(false), await run(true)]
    expect(one.expected).toEqual(all.expected)
    expect(all.calls - one.calls).toBe((7 - 3) * questions.length)
  })
})

describe('generalisation', () => {
  it('chooses the partner on questions it does not report, and routes without labels', async () => {
    const bench = scriptedBench(skills)
    const result = await generalisation(bench, { base: 'a', members: bench.members, sets })
    expect(result.figures['fixed']).toBe('a & b duet')
    const rows = result.figures['rows'] as {
      set: string
      n: number
      alone: number
      routing: { estimate: number }
      fixed: number
      oracleSingle: number
    }[]
    expect(rows.map(row => [row.set, row.alone, row.routing.estimate, row.fixed, row.oracleSingle])).toEqual([
      ['even', 1, 1, 1, 1],
      ['odd', 0, 1, 1, 1],
    ])
    expect(rows[0]?.n).toBeLessThan(20)
  })
})

describe('mixed fields', () => {
  it('compares the network with the best single, its self-consistency, random and both oracles', async () => {
    const bench = scriptedBench(skills)
    const result = await mixed(bench, { members: bench.members, sets, network: '*', title: 'Mixed' })
    const accuracy = Object.fromEntries(
      (result.figures['summaries'] as { name: string; accuracy: { estimate: number } }[]).map(
        ({ name, accuracy: { estimate } }) => [name, estimate],
      ),
    )
    expect(accuracy['network']).toBe(1)
    expect(accuracy['per-field oracle']).toBe(1)
    expect(accuracy['oracle over members']).toBe(1)
    expect(accuracy[`best single: ${String(result.figures['best'])}`]).toBeLessThan(0.7)
    expect(accuracy['random member']).toBeLessThan(0.7)
  })
})

describe('DuetNet', () => {
  it('asks every pair, triple and the four by every method, and splits the outcomes', async () => {
    const asked: string[] = []
    const bench = scriptedBench(skills, asked)
    const result = await duetnet(bench, { members: bench.members, sets, sweepQuestions: 2 })
    const accuracy = result.figures['accuracy'] as Record<string, Record<string, number>>
    expect(Object.keys(accuracy)).toHaveLength(4 + 11 * 7)
    expect(accuracy['a & b duet-raw']).toEqual({ even: 1, odd: 1 })
    expect(accuracy['a & d gac']).toEqual({ even: 1, odd: 0 })
    expect(result.figures['swept']).toEqual(['a', 'b'])
    const text = renderText({ title: 't', facts: {}, sections: [{ title: result.title, blocks: result.blocks }] })
    expect(text).toContain('Table 6')
    expect(text).toMatch(/duet-raw\s+3\.0\s+2\.00/)
    expect(renderHtml({ title: 't', facts: {}, sections: [result] })).not.toContain('NaN')
  })

  it('counts kept, decided and rescued by what the members alone had said', async () => {
    const bench = scriptedBench({ a: index => index < 20, b: index => index < 10 })
    const stubborn = { ...fusionSystem(bench, 'a & b', ['a', 'b'], { method: 'duet' }) }
    const evaluation = await evaluate(
      [pathwaySystem(bench, 'a', '"a"'), pathwaySystem(bench, 'b', '"b"'), stubborn],
      questions,
    )
    expect(outcomeSplit(evaluation, [{ members: ['a', 'b'], system: 'a & b' }])).toMatchObject({
      keptRight: { n: 10, estimate: 1 },
      splitRight: { n: 10, estimate: 1 },
      rescued: { n: 20, estimate: 0 },
    })
  })
})

describe('paths', () => {
  it('writes the 24 paths of three models', () => {
    expect(permutations(['a', 'b', 'c'])).toHaveLength(6)
    expect(combinations(['a', 'b', 'c', 'd'], 2)).toHaveLength(6)
    expect(serial(['a', 'b', 'c'])).toBe('"a" > "b" > "c"')
    expect(serialToParallel(['a', 'b', 'c'])).toBe('"a" > ("b" + "c")')
    expect(parallelToSerial(['a', 'b', 'c'])).toBe('("b" + "c") > "a"')
  })

  it('reports the path that was chosen on other questions, and whether PI depends on the order', async () => {
    const bench = scriptedBench(skills)
    const result = await paths(bench, { members: ['a', 'b', 'd'], sets })
    expect(result.figures['paths']).toHaveLength(24)
    expect(result.figures['parallelIndependentOfOrder']).toBe(true)
    expect(result.figures['choice']).toMatchObject({ pathAccuracy: 1 })
    expect(renderText({ title: 't', facts: {}, sections: [result] })).toContain('SI a-b-d')
  })
})

describe('mutual evaluation', () => {
  it('gives the published graph for the published matrix', () => {
    const graph = collaborationGraph({
      Qwen: { Baichuan: 2.4, ERNIE: 2.6, DS: 1.9 },
      Baichuan: { Qwen: 2.6, ERNIE: 2.8, DS: 2.6 },
      ERNIE: { Qwen: 2.5, Baichuan: 2.2, DS: 1.7 },
      DS: { Qwen: 2.4, Baichuan: 2.2, ERNIE: 2.5 },
    })
    expect(graph.given['ERNIE']).toBeCloseTo(2.133, 3)
    expect(graph.received['DS']).toBeCloseTo(2.067, 3)
    expect(graph.collaborators).toEqual({
      Qwen: ['ERNIE'],
      Baichuan: ['ERNIE'],
      ERNIE: ['Qwen'],
      DS: ['ERNIE', 'Qwen'],
    })
    expect(Object.values(graph.supplementary).flat()).toEqual([])
  })

  it('routes an answer through models that disapprove, at most alpha hops, the same with the same seed', async () => {
    const bench = scriptedBench({
      good: () => true,
      better: () => true,
      weak: index => index % 4 === 0,
      poor: () => false,
    })
    const options = { members: bench.members, gradingSets: sets, sets }
    const result = await mutualEvaluation(bench, options)
    const rows = result.figures['rows'] as {
      member: string
      single: number
      route: { estimate: number }
      mix: number[]
    }[]
    const weak = rows.find(row => row.member === 'weak')
    expect(weak?.single).toBeCloseTo(0.25)
    expect(weak?.route.estimate).toBe(1)
    expect(weak?.mix).toEqual([0.25, 0.75, 0, 0])
    expect((await mutualEvaluation(bench, options)).figures).toEqual(result.figures)
  })
})
