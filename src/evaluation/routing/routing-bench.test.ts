import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../utils/random.ts'
import { bestCascades, letterOf, replayCascade } from './cascade-replay.ts'
import { averageQuality, costHull, pairMetrics } from './metrics.ts'
import { formatRoutingBench, runRoutingBench } from './routing-bench.ts'
import { readRoutingRows } from './routing-set.ts'
import { stripMarkers } from './strip-markers.ts'
import { replayVote } from './vote-replay.ts'

const folder = mkdtempSync(join(tmpdir(), 'routing-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A small set in the form of the recorded ones: model 0 is right about plants, model 1 about stars. */
function writeSet(
  name: string,
  extra: (right: readonly number[]) => object,
): { set: string; train: string; test: string } {
  const random = createRandom(name)
  const rows = (count: number): string =>
    Array.from({ length: count }, (_, id) => {
      const plants = id % 2 === 0
      const words = plants ? ['leaf', 'root', 'petal', 'seed', 'stem'] : ['star', 'comet', 'orbit', 'moon', 'planet']
      const word = (): string => words[Math.floor(random.next() * words.length)] ?? ''
      const right = [plants ? 0.9 : 0.2, plants ? 0.2 : 0.9].map(share => (random.next() < share ? 1 : 0))
      return JSON.stringify({
        id: `q${id}`,
        dataset: 'mmlu',
        query: `what is a ${word()} of a ${word()}`,
        ...extra(right),
      })
    }).join('\n')
  const path = (file: string): string => join(folder, `${name}-${file}`)
  writeFileSync(join(folder, 'meta.json'), JSON.stringify({ name, models: ['one', 'two'], active_params_b: [7, 8] }))
  writeFileSync(path('train.jsonl.gz'), gzipSync(rows(300)))
  writeFileSync(path('test.jsonl'), rows(100))
  return { set: folder, train: path('train.jsonl.gz'), test: path('test.jsonl') }
}

describe('the routing bench', () => {
  it('trains, decides and writes decisions that beat the best single model', () => {
    const decisions = join(folder, 'decisions.jsonl')
    const result = runRoutingBench({ ...writeSet('routerdc', scores => ({ scores })), decisions })
    const lines = readFileSync(decisions, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines).toHaveLength(100)
    expect(lines[0]).toEqual({ id: 'q0', model: 0 })
    const accuracy = (name: string): number => result.figures.find(figure => figure.name === name)?.figures['mmlu'] ?? 0
    expect(accuracy('router')).toBeGreaterThan(accuracy('best single (on train)') + 15)
    expect(formatRoutingBench(result)).toContain('300 training rows, 100 test rows, 2 models')
  })

  it('reads nothing but the question before it decides', () => {
    const paths = writeSet('routellm', scores => ({ scores }))
    const decide = (test: string, name: string): string => {
      const decisions = join(folder, name)
      runRoutingBench({ ...paths, test, decisions })
      return readFileSync(decisions, 'utf8')
    }
    const swapped = join(folder, 'swapped.jsonl')
    const rows = readRoutingRows(paths.test)
    writeFileSync(swapped, rows.map(row => JSON.stringify({ ...row, scores: [1, 0], dataset: 'other' })).join('\n'))
    expect(decide(swapped, 'b.jsonl')).toBe(decide(paths.test, 'a.jsonl'))
  })

  it('votes with the recorded options of the members it chose', () => {
    const decisions = join(folder, 'votes.jsonl')
    const paths = writeSet('mmlupro28', right => ({ answer: 'C', preds: right.map(one => (one ? 'C' : 'D')).join('') }))
    const result = runRoutingBench({ ...paths, decisions, maxParameters: 13 })
    const [first] = readFileSync(decisions, 'utf8').split('\n')
    expect(JSON.parse(first ?? '')).toMatchObject({ id: 'q0', model: 'one', models: [0, 1] })
    expect(result.figures.some(({ name }) => name.startsWith('vote of'))).toBe(true)
    const single = join(folder, 'votes.single.jsonl')
    expect(result.files).toEqual([decisions, single])
    const [one] = readFileSync(single, 'utf8').split('\n')
    expect(JSON.parse(one ?? '')).toEqual({ id: 'q0', model: 'one' })
  })

  it('takes for mmlupro28 the models of up to 13 billion parameters, unless all are asked for', () => {
    const paths = writeSet('mmlupro28', right => ({ answer: 'C', preds: right.map(one => (one ? 'C' : 'D')).join('') }))
    const meta = { name: 'mmlupro28', models: ['one', 'two'], active_params_b: [7, null] }
    writeFileSync(join(folder, 'meta.json'), JSON.stringify(meta))
    expect(() => runRoutingBench(paths)).toThrow(/at least two models of up to 13 billion/)
    const all = runRoutingBench({ ...paths, maxParameters: Number.POSITIVE_INFINITY, combine: false, folds: 2 })
    expect(all.models).toEqual(['one', 'two'])
    expect(all.maxParameters).toBeUndefined()
  })

  it.each([
    ['routerdc', (scores: readonly number[]) => ({ scores })],
    ['routellm', (scores: readonly number[]) => ({ scores })],
    ['routerbench3', (scores: readonly number[]) => ({ scores, costs: [1, 2], responses: ['A', 'B'] })],
    ['mmlupro28', (right: readonly number[]) => ({ answer: 'C', preds: right.map(one => (one ? 'C' : 'D')).join('') })],
  ])('decides for %s questions of which nothing but the text is known', (name, extra) => {
    const paths = writeSet(name, extra)
    const bare = join(folder, 'bare.jsonl')
    writeFileSync(bare, [1, 2].map(id => JSON.stringify({ id: `b${id}`, query: 'what is a star' })).join('\n'))
    const decisions = join(folder, 'bare-decisions.jsonl')
    const { figures } = runRoutingBench({ ...paths, test: bare, decisions, folds: 2 })
    const lines = readFileSync(decisions, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(new Set(lines.map(({ id }) => id))).toEqual(new Set(['b1', 'b2']))
    expect(lines.every(line => 'model' in line || 'win' in line)).toBe(true)
    expect(figures).toEqual([])
  })

  it('refuses what is not a routing set, naming the line', () => {
    const file = join(folder, 'bad.jsonl')
    writeFileSync(file, '{"id":"a","dataset":"d","query":"q"}\n{"id":1}')
    expect(() => readRoutingRows(file)).toThrow(/bad\.jsonl:2/)
  })
})

describe('routing metrics', () => {
  it('give 0.5 to a router that knows nothing, more to one that knows, 0 and 1 at the ends of the hull', () => {
    const random = createRandom(3)
    const scores = Array.from({ length: 4000 }, (): [number, number] => {
      const draw = random.next()
      return draw < 0.5 ? [1, 1] : draw < 0.7 ? [0, 0] : [0, 1]
    })
    expect(
      pairMetrics(
        scores.map(() => random.next()),
        scores,
      ).apgr,
    ).toBeCloseTo(0.5, 1)
    const oracle = pairMetrics(
      scores.map(([weak, strong]) => strong - weak + random.next() * 1e-3),
      scores,
    )
    expect(oracle.apgr).toBeGreaterThan(0.8)
    expect(oracle.cpt50).toBeCloseTo(15, 0)
  })

  it('build the hull of what pays', () => {
    expect(
      costHull([
        [1, 0.5],
        [2, 0.4],
        [3, 0.6],
        [5, 0.9],
      ]),
    ).toEqual([
      [1, 0.5],
      [5, 0.9],
    ])
    expect(
      averageQuality(
        [
          [0, 0],
          [1, 1],
        ],
        0,
        1,
      ),
    ).toBeCloseTo(0.5)
  })
})

describe('replayed combinations', () => {
  it('weigh votes by log-odds, count no abstention, and give ties to the better member', () => {
    const members = [
      { model: 0, quality: 0.8 },
      { model: 1, quality: 0.4 },
      { model: 2, quality: 0.4 },
    ]
    expect(replayVote(members, 'ABB')).toBe('A')
    expect(replayVote(members, '-BB')).toBe('B')
    expect(replayVote(members, '---')).toBeUndefined()
    expect(replayVote(members.slice(1), 'XAB')).toBe('A')
  })

  it('accept agreement and pay for every call of a cascade', () => {
    const row = { scores: [1, 1, 0], costs: [1, 2, 10], responses: ['B\n', 'B', 'C'] }
    const cascade = { first: 0, second: 1, strong: 2 }
    expect(replayCascade(cascade, row)).toEqual([3, 1])
    expect(replayCascade(cascade, { ...row, responses: ['B', 'I do not know', 'C'] })).toEqual([13, 0])
    expect(bestCascades([row, row], 3, 2)).toContainEqual(cascade)
  })

  it.each([
    ['B', 'B'],
    ['c) water', 'C'],
    ['The answer is D.', 'D'],
    ['I do not know', undefined],
    ['Apple', undefined],
    ['', undefined],
  ])('read the option of "%s"', (response, letter) => expect(letterOf(response)).toBe(letter))

  it('cut what gives a task away', () => {
    expect(stripMarkers('Question: Why?\nA. one\nB. two\nAnswer:')).toBe('Why?')
    expect(stripMarkers('为什么？\nA. 一\nB. 二\n答案：')).toBe('为什么？')
    expect(stripMarkers('A. only')).toBe('A. only')
  })
})
