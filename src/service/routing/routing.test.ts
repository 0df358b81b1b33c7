import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../utils/random.ts'
import type { OutcomeTable, Router, TrainingData } from '../router.ts'
import { restoreClusterRouter, trainClusterRouter } from '../routers/cluster.ts'
import { createEnsembleRouter } from '../routers/ensemble.ts'
import { restoreItemResponse, trainItemResponse } from '../routers/item-response.ts'
import { restoreLogisticRouter, trainLogisticRouter } from '../routers/logistic.ts'
import { restoreNeighbourRouter, trainNeighbourRouter } from '../routers/nearest-neighbours.ts'
import { restorePairwiseFactorisation, trainPairwiseFactorisation } from '../routers/pairwise-factorisation.ts'
import { restoreTagPriorRouter, trainTagPriorRouter } from '../routers/tag-prior.ts'
import { restoreThompsonRouter, trainThompsonRouter } from '../routers/thompson.ts'
import { calibrate, fitCalibration } from './calibration.ts'
import type { OnlineOptions } from './online-router.ts'
import { createOnlineRouter } from './online-router.ts'
import { createTextEncoder, fitTextEncoder } from './text-encoder.ts'
import { loadTextRouter } from './text-router.ts'
import { trainTextRouter } from './train-text-router.ts'

const FRUIT = 'apple pear plum cherry orange melon grape lemon'.split(' ')
const CARS = 'wheel engine brake motor clutch tyre gear exhaust'.split(' ')

/** Arm 0 is good at fruit, arm 1 at cars, arm 2 middling at both and cheap. */
function createTable(rows = 240): OutcomeTable {
  const random = createRandom(5)
  const word = (list: readonly string[]): string => list[Math.floor(random.next() * list.length)] ?? ''
  const questions: string[] = []
  const scores: number[] = []
  for (let row = 0; row < rows; row++) {
    const fruit = row % 2 === 0
    const list = fruit ? FRUIT : CARS
    questions.push(`tell me about the ${word(list)} and the ${word(list)}`)
    for (const quality of [fruit ? 0.9 : 0.2, fruit ? 0.1 : 0.85, 0.6]) scores.push(random.next() < quality ? 1 : 0)
  }
  return {
    questions,
    arms: ['fruit', 'cars', 'cheap'],
    scores: Float32Array.from(scores),
    costs: Float32Array.from(questions.flatMap(() => [10, 10, 1])),
  }
}

const table = createTable()
const encoder = fitTextEncoder(table.questions, {
  dimensions: 4096,
  latentSize: 8,
  tagsOf: text =>
    [...FRUIT, ...CARS]
      .filter(word => text.includes(word))
      .map(word => ({ tag: FRUIT.includes(word) ? 'skill:fruit' : 'skill:cars', probability: 0.5 })),
})
const data: TrainingData = {
  questions: table.questions.map(text => encoder.encode(text)),
  arms: 3,
  scores: table.scores,
  dimensions: 4096,
}
const fruit = encoder.encode('is a ripe plum a grape or a melon')
const cars = encoder.encode('the gear and the brake of an engine')
const best = (values: ArrayLike<number>): number => Array.from(values).indexOf(Math.max(...Array.from(values)))

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length

const ROUTERS: readonly [string, (data: TrainingData) => Router, (state: unknown) => Router][] = [
  ['cluster', each => trainClusterRouter(each, { counts: [4], starts: 2 }), restoreClusterRouter],
  ['nearest-neighbours', each => trainNeighbourRouter(each, { neighbours: 20 }), restoreNeighbourRouter],
  ['logistic', each => trainLogisticRouter(each), restoreLogisticRouter],
  ['pairwise-factorisation', each => trainPairwiseFactorisation(each), restorePairwiseFactorisation],
  ['tag-prior', each => trainTagPriorRouter(each), restoreTagPriorRouter],
  ['thompson', each => trainThompsonRouter(each), restoreThompsonRouter],
]

describe.each(ROUTERS)('the %s router', (kind, train, restore) => {
  const router = train(data)

  it('learns which arm is good at what', () => {
    expect([router.kind, best(router.estimate(fruit)), best(router.estimate(cars))]).toEqual([kind, 0, 1])
  })

  it('puts the middling arm between the good and the bad one', () => {
    const [good = 0, bad = 0, middling = 0] = router.estimate(fruit)
    expect([good <= 1, good >= middling, middling > bad, bad >= 0]).toEqual([true, true, true, true])
  })

  it('is the same after saving and loading, as JSON', () => {
    const loaded = restore(JSON.parse(JSON.stringify(router.save())))
    router.estimate(cars).forEach((value, arm) => {
      expect(loaded.estimate(cars)[arm]).toBeCloseTo(value, 2)
    })
  })

  it('estimates a subset of the arms as it estimates all', () => {
    const all = router.estimate(fruit)
    expect([...router.estimate(fruit, Int32Array.of(2, 0))]).toEqual([all[2], all[0]])
  })
})

/** Every router there is: those above, item response (one ability per arm for all questions) and a mixture of several. */
const ALL: typeof ROUTERS = [
  ...ROUTERS,
  ['item-response', each => trainItemResponse(each), restoreItemResponse],
  [
    'ensemble',
    each => createEnsembleRouter(ROUTERS.map(([, train], at) => ({ router: train(each), weight: at + 1 }))),
    state =>
      createEnsembleRouter(
        (state as readonly { kind: string; weight: number; state: unknown }[]).map(({ kind, weight, state: own }) => {
          const restore = ROUTERS.find(([name]) => name === kind)?.[2]
          if (!restore) throw new Error(`no router of kind ${kind}`)
          return { router: restore(own), weight }
        }),
      ),
  ],
]

describe.each(ALL)('the contract of routers: %s', (kind, train, restore) => {
  const router = train(data)

  it('tells its kind and its arms, and expects a share of right answers for each', () => {
    expect([router.kind, router.arms]).toEqual([kind, 3])
    const estimates = [...router.estimate(fruit), ...router.estimate(cars), ...router.estimate(encoder.encode(''))]
    expect(estimates).toHaveLength(9)
    expect(estimates.every(value => value >= -0.01 && value <= 1.01)).toBe(true)
  })

  it('is pure: the same question gives the same estimate, whatever was asked between', () => {
    const before = [...router.estimate(fruit)]
    router.estimate(cars)
    expect([...router.estimate(encoder.encode('is a ripe plum a grape or a melon'))]).toEqual(before)
  })

  it('learns the same from the same outcomes', () => {
    expect([...train(data).estimate(cars)]).toEqual([...router.estimate(cars)])
  })

  it('is the same after saving and loading, as JSON', () => {
    const loaded = restore(JSON.parse(JSON.stringify(router.save())))
    for (const question of [fruit, cars])
      router.estimate(question).forEach((value, arm) => {
        expect(loaded.estimate(question)[arm]).toBeCloseTo(value, 2)
      })
  })

  it('estimates a subset of the arms as it estimates all', () => {
    const all = router.estimate(fruit)
    expect([...router.estimate(fruit, Int32Array.of(2, 0))]).toEqual([all[2], all[0]])
  })
})

describe('routers', () => {
  it.each(ROUTERS.slice(0, 3))('learn from tables with holes: %s', (_, train) => {
    const random = createRandom(9)
    const scores = data.scores.map(score => (random.next() < 0.5 ? Number.NaN : score))
    const router = train({ ...data, scores })
    expect([best(router.estimate(fruit)), best(router.estimate(cars))]).toEqual([0, 1])
  })

  it('by item response put the arms in the order of their overall ability', () => {
    const ability = [0.3, 0.9, 0.6]
    const random = createRandom(3)
    const scores = data.scores.map((_, at) => (random.next() < (ability[at % 3] ?? 0) ? 1 : 0))
    const router = trainItemResponse({ ...data, scores })
    expect(
      [...router.abilities.keys()].sort((a, b) => (router.abilities[b] ?? 0) - (router.abilities[a] ?? 0)),
    ).toEqual([1, 2, 0])
    expect(router.abilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0)
    router.estimate(fruit).forEach((value, arm) => {
      expect(Math.abs(value - (ability[arm] ?? 0))).toBeLessThan(0.15)
    })
    expect([...restoreItemResponse(JSON.parse(JSON.stringify(router.save()))).abilities]).toEqual([...router.abilities])
  })

  it('by tags go by the mean of all for a question without a tag', () => {
    const router = trainTagPriorRouter(data)
    const nothing = router.estimate(encoder.encode('what is this'))
    expect(best(nothing)).toBe(best(table.arms.map((_, arm) => mean(data.scores.filter((_, at) => at % 3 === arm)))))
    expect(router.estimate(fruit)[0]).toBeGreaterThan((nothing[0] ?? 0) + 0.2)
  })

  it('by Thompson sampling try what they do not know, and find who is best from their own choices alone', () => {
    const random = createRandom(11)
    const router = trainThompsonRouter({ ...data, questions: data.questions.slice(0, 1), scores: new Float32Array(3) })
    const truth = [
      [0.9, 0.1, 0.6],
      [0.2, 0.85, 0.6],
    ]
    const chosen = Array.from({ length: 400 }, (_, task) => {
      const question = data.questions[task % data.questions.length] ?? fruit
      const arm = best(router.estimate(question))
      router.learn(question, arm, random.next() < (truth[task % 2]?.[arm] ?? 0) ? 1 : 0)
      return arm
    })
    expect(new Set(chosen.slice(0, 40)).size).toBe(3)
    const right = chosen.filter((arm, task) => task >= 300 && arm === task % 2).length
    expect(right).toBeGreaterThan(80)
    expect([best(router.expect(fruit)), best(router.expect(cars))]).toEqual([0, 1])
    const before = [...router.estimate(fruit)]
    router.learn(fruit, 0, Number.NaN)
    expect([...router.estimate(fruit)]).toEqual(before)
  })

  it('in an ensemble are weighted, and refuse to be of different arms', () => {
    const [cluster, logistic] = [trainClusterRouter(data), trainLogisticRouter(data)]
    const both = createEnsembleRouter([
      { router: cluster, weight: 3 },
      { router: logistic, weight: 1 },
    ])
    const expected = (cluster.estimate(fruit)[0] ?? 0) * 0.75 + (logistic.estimate(fruit)[0] ?? 0) * 0.25
    expect(both.estimate(fruit)[0]).toBeCloseTo(expected)
    expect(() => createEnsembleRouter([])).toThrow(RangeError)
  })

  it('name the best arms among thousands without estimating all', () => {
    const arms = 2000
    const scores = new Float32Array(data.questions.length * arms).fill(Number.NaN)
    data.questions.forEach((_, row) => {
      for (let arm = 0; arm < arms; arm++) scores[row * arms + arm] = arm === (row % 2 === 0 ? 7 : 1234) ? 1 : 0
    })
    const router = trainClusterRouter({ ...data, arms, scores }, { counts: [4], starts: 1 })
    expect(router.shortlist(fruit, 20)).toContain(7)
    expect(router.shortlist(cars, 20)).toContain(1234)
    expect(router.shortlist(fruit, 20).length).toBeLessThanOrEqual(20)
  })
})

describe('the text encoder', () => {
  it('gives vectors of unit length, the same after saving and loading', () => {
    const loaded = createTextEncoder(JSON.parse(JSON.stringify(encoder.save())))
    const norm = (values: ArrayLike<number>): number =>
      Array.from(values).reduce((sum, value) => sum + value * value, 0)
    expect([norm(fruit.sparse.values), norm(fruit.latent)].map(value => Math.round(value * 1e4) / 1e4)).toEqual([1, 1])
    const { tags, ...untagged } = cars
    expect(tags).toHaveLength(3)
    expect(loaded.encode('the gear and the brake of an engine')).toEqual(untagged)
  })

  it('puts texts of one field nearer to each other than to another field', () => {
    const other = encoder.encode('a motor and a clutch')
    const near = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)
    expect(near(cars.latent, other.latent)).toBeGreaterThan(near(fruit.latent, other.latent))
  })

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
        for (const value of encoder.encode(text).latent) expect(Number.isFinite(value)).toBe(true)
      }),
    )
  })
})

describe('calibration', () => {
  it('maps stated to observed quality without turning the order round', () => {
    const random = createRandom(4)
    const stated = Array.from({ length: 4000 }, () => random.next())
    const observed = stated.map(value => (random.next() < value * value ? 1 : 0))
    const calibration = fitCalibration(stated, observed)
    let before = -1
    for (let value = 0; value <= 1; value += 0.05) {
      const now = calibrate(calibration, value)
      expect(now).toBeGreaterThanOrEqual(before)
      expect(Math.abs(now - value * value)).toBeLessThan(0.1)
      before = now
    }
  })
})

describe('the text router', () => {
  const router = loadTextRouter(JSON.parse(JSON.stringify(trainTextRouter(table, { dimensions: 4096, latentSize: 8 }))))

  it('chooses by quality, and the cheap arm where cost weighs enough', () => {
    expect(router.choose('is a ripe plum a grape').arm).toBe('fruit')
    expect(router.choose('the gear and the brake').arm).toBe('cars')
    expect(router.choose('the gear and the brake', { cost: 0.1 }).arm).toBe('cheap')
  })

  it('counts expected seconds against an arm', () => {
    expect(router.choose('is a ripe plum a grape', { latency: 0.5 }, [9, 9, 0]).arm).toBe('cheap')
  })

  it('falls back to the best single arm out of its depth', () => {
    const { arm, familiarity } = router.choose('zxqv wvut kjhg')
    expect(arm).toBe('cheap')
    expect(familiarity).toBeLessThan(0.05)
  })

  it('refuses a state that is none', () => {
    expect(() => loadTextRouter({ version: 2 } as never)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  })
})

describe('the online router', () => {
  const QUALITY = [
    [0.95, 0.1],
    [0.1, 0.95],
    [0.5, 0.5],
  ] as const

  interface Played {
    readonly regret: number
    readonly random: number
    readonly changed: number
    /** Other arms asked, per task. */
    readonly audits: number
  }

  /** Mean regret against the best arm of each kind of question over the last `counted` of so many tasks. */
  function play(
    { tasks, counted, swapAt }: { tasks: number; counted: number; swapAt: number },
    truthAfter: (arm: number, kind: number) => number,
    options: OnlineOptions = {},
  ): Played {
    const random = createRandom(8)
    const router = createOnlineRouter(3, { random: random.fork('router') }, options)
    let [lost, lostAtRandom, audits] = [0, 0, 0]
    for (let task = 0; task < tasks; task++) {
      const kind = random.next() < 0.5 ? 0 : 1
      const truths = QUALITY.map((row, arm) => (task >= swapAt ? truthAfter(arm, kind) : row[kind]))
      const estimates = QUALITY.map(row => row[kind])
      const arm = router.choose(estimates)
      const asked = router.audit(estimates, arm)
      audits += asked.length / tasks
      for (const each of [arm, ...asked]) router.learn(estimates, each, random.next() < (truths[each] ?? 0) ? 1 : 0)
      if (task < tasks - counted) continue
      lost += Math.max(...truths) - (truths[arm] ?? 0)
      lostAtRandom += Math.max(...truths) - truths.reduce((sum, truth) => sum + truth, 0) / 3
    }
    return { regret: lost / counted, random: lostAtRandom / counted, changed: router.changed, audits }
  }
  const swapped = (arm: number, kind: number): number => QUALITY[arm < 2 ? 1 - arm : arm]?.[kind] ?? 0

  it('chooses exactly as the static router while nothing changes, at few audits', () => {
    const { regret, changed, audits } = play({ tasks: 1000, counted: 1000, swapAt: Number.POSITIVE_INFINITY }, swapped)
    expect(regret).toBe(0)
    expect(changed).toBeLessThan(0.01)
    expect(audits).toBeLessThan(0.5)
  })

  it('notices that abilities were swapped and has recovered 300 tasks later, from feedback on its own choices alone', () => {
    const { regret, random, changed } = play({ tasks: 1000, counted: 200, swapAt: 500 }, swapped, { auditRate: 0 })
    expect(changed).toBeGreaterThan(0.99)
    expect(regret).toBeLessThan(0.05 * random)
  })

  it('has recovered 30 tasks later with audits', () => {
    const { regret, random } = play({ tasks: 1000, counted: 470, swapAt: 500 }, swapped)
    expect(regret).toBeLessThan(0.05 * random)
  })

  it('leaves an arm that broke and now behaves like none that was known', () => {
    const broken = (arm: number, kind: number): number => (arm === 0 ? 0.02 : (QUALITY[arm]?.[kind] ?? 0))
    const { regret, random } = play({ tasks: 1000, counted: 200, swapAt: 500 }, broken)
    expect(regret).toBeLessThan(0.05 * random)
  })

  it('takes no feedback that is none', () => {
    const router = createOnlineRouter(2, { random: createRandom(1) })
    for (const [arm, score] of [
      [0, Number.NaN],
      [0, 7],
      [5, 1],
      [-1, 0],
    ] as const)
      router.learn([0.9, 0.1], arm, score)
    expect(router.changed).toBe(0)
    expect(router.choose([0.9, 0.1])).toBe(0)
  })
})
