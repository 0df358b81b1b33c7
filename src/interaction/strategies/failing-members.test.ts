import { describe, expect, it } from 'vitest'
import type { GenerateRequest } from '../../protocol/index.ts'
import type { ManualClock, ScriptedModelOptions } from '../../testing/index.ts'
import { createManualClock, createScriptedModel } from '../../testing/index.ts'
import { isModelNetError } from '../../utils/errors.ts'
import { createScriptedNetwork } from '../scripted-network.ts'
import { strategies } from './index.ts'

const DEADLINE_MS = 30_000
const QUESTION = '<document>Thirty-eight and forty-seven make eighty-five.</document>\n\nWhat is 38 + 47?'
const promptOf = ({ messages }: GenerateRequest): string => messages.map(({ content }) => content).join('\n')

/** Judges what it is shown: 85 is right. Answers everything else with `answer`. */
const honest =
  (answer: string) =>
  (request: GenerateRequest): string => {
    const prompt = promptOf(request)
    const isRight = /\b85\b/.test(prompt) && !/\b58\b/.test(prompt)
    if (prompt.includes('approve or disapprove')) return isRight ? 'approve' : 'disapprove: it is 85'
    if (prompt.includes('Reply with A for the first')) return prompt.split('model B')[0]?.includes('85') ? 'A' : 'B'
    if (prompt.includes('from best to worst')) return '1 > 2 > 3'
    if (prompt.includes('agrees best with the majority')) return '1'
    if (prompt.includes('Reply only true or false') || prompt.includes('Reply only yes or no'))
      return isRight ? 'yes' : 'no'
    if (prompt.includes('Say in two sentences')) return isRight ? 'It holds.' : 'It does not hold.'
    return answer
  }

const FAILURES: Readonly<Record<string, Partial<ScriptedModelOptions>>> = {
  'killed in mid-stream': { answer: honest('It is 85'), failure: { afterParts: 1 } },
  'of 500 ms a step': { answer: honest('85'), firstDelayMs: 500, partDelayMs: 500, stepDelayMs: 500 },
  lying: {
    answer: request =>
      /approve or|Reply with A|best to worst|majority|Reply only/.test(promptOf(request)) ? 'no' : '58',
  },
  'of garbage': { answer: '\u0000\ufffd<|im_start|>system \u202e{"' },
  'that hangs': { hang: true },
}

/** Every strategy with the failing model among its members, and those that ask judges with it as their judge. */
const PATHWAYS: readonly (readonly [strategy: string, pathway: string])[] = [
  ['single', 'single(bad)'],
  ['single', 'single(*)'],
  ['vote', 'vote(bad | b | c)'],
  ['weighted', 'weighted(bad | b | c)'],
  ['consistency', 'consistency(@x, n=3)'],
  ['surest', 'surest(bad | b | c)'],
  ['ranked', 'ranked(bad | b | c, by=d)'],
  ['ranked', 'ranked(b | c, by=bad)'],
  ['rank', 'rank(bad | b | c, by=d)'],
  ['rank', 'rank(b | c, by=bad)'],
  ['usc', 'usc(b | bad | c, by=d)'],
  ['usc', 'usc(b | c, by=bad)'],
  ['cascade', 'cascade(bad, b, c)'],
  ['cascade', 'cascade(b, c, bad)'],
  ['staircase', 'staircase(bad, b, c, at=0.8)'],
  ['guaranteed', 'guaranteed(bad, b, at=0.99)'],
  ['guaranteed', 'guaranteed(b, bad, at=0.99)'],
  ['verified', 'verified(bad, b, judges=1, by=d)'],
  ['verified', 'verified(b, c, judges=1, by=bad)'],
  ['serial', 'serial(bad, b, c)'],
  ['serial', 'serial(b, bad, c)'],
  ['serial', 'serial(b, c, bad)'],
  ['joint', 'joint(bad | b | c)'],
  ['s2p', 's2p(bad, b, c)'],
  ['s2p', 's2p(b, c, bad)'],
  ['p2s', 'p2s(bad, b, c)'],
  ['p2s', 'p2s(b, c, bad)'],
  ['roles', 'roles(b, bad, c)'],
  ['debate', 'debate(bad | b | c)'],
  ['moa', 'moa(bad | b | c, by=d)'],
  ['moa', 'moa(b | c, by=bad)'],
  ['self-moa', 'self-moa(@x, n=3, by=d)'],
  ['rank-fuse', 'rank-fuse(bad | b | c, by=d)'],
  ['rank-fuse', 'rank-fuse(b | c, by=bad)'],
  ['dynamic', 'dynamic(bad)'],
  ['dynamic', 'dynamic(b)'],
  ['planned', 'planned(bad, by=planner)'],
  ['planned', 'planned(b, by=bad)'],
  ['abstain', 'abstain(bad, by=d)'],
  ['abstain', 'abstain(b, by=bad)'],
  ['abstain', 'abstain(b, how=compete, by=bad)'],
  ['grounded', 'grounded(bad, by=d)'],
  ['grounded', 'grounded(b, by=bad)'],
]

/** Where the failing model is the last word, what it says stands; nobody but it was asked to decide. */
const IS_LAST_WORD =
  /^(single\(bad\)|single\(\*\)|consistency|serial\(b, c, bad\)|p2s\(b, c, bad\)|moa\(b \| c, by=bad\)|planned\(bad)/
/** Trusts its first member, or a member that is sure, or is built to say that it does not know. */
const TRUSTS =
  /^(surest|staircase|guaranteed|cascade\(b, c, bad\)|serial|s2p|p2s|roles|moa|rank-fuse|self-moa|ranked|rank\(|usc)/

type Ended = { readonly text?: string; readonly code?: string; readonly ms: number }

/** Lets time pass until the asking ends. */
async function ended(clock: ManualClock, asking: Promise<{ readonly text: string }>): Promise<Ended> {
  let result: Ended | undefined
  const done = asking.then(
    ({ text }) => {
      result = { text, ms: clock.monotonic() }
    },
    (error: unknown) => {
      if (!isModelNetError(error)) throw error
      result = { code: error.code, ms: clock.monotonic() }
    },
  )
  for (let waited = 0; waited < 2 * DEADLINE_MS && !result; waited += 250) await clock.advance(250)
  if (result) await done
  return result ?? { ms: Number.POSITIVE_INFINITY }
}

function failing(failure: string): { ask: (pathway: string) => Promise<Ended>; running: () => number } {
  const clock = createManualClock()
  const model = (id: string, extra: Partial<ScriptedModelOptions> = {}): ReturnType<typeof createScriptedModel> =>
    createScriptedModel({
      id,
      node: `node-${id}`,
      clock,
      answer: honest('85'),
      card: { tags: ['skill:arithmetic'] },
      ...extra,
    })
  const plan = '{"steps":[{"id":"1","skill":"arithmetic","question":"What is 38 + 47?"}]}'
  const models = [
    model('bad', { card: { tags: ['skill:arithmetic', 'skill:x'] }, ...FAILURES[failure] }),
    ...['b', 'c', 'd'].map(id => model(id)),
    model('planner', { answer: plan, card: { tags: ['skill:planning'] } }),
  ]
  const network = createScriptedNetwork(models, { clock, abilities: { bad: 0.81 } })
  return {
    ask: pathway => ended(clock, network.ask(QUESTION, pathway, { budget: { deadlineMs: DEADLINE_MS } })),
    running: () => models.reduce((sum, each) => sum + each.running, 0),
  }
}

describe.each(Object.keys(FAILURES))('with a member %s', failure => {
  it.each(PATHWAYS)('%s: %s completes with the rest, or fails clearly inside its deadline', async (_, pathway) => {
    const { ask, running } = failing(failure)
    const { text, code, ms } = await ask(pathway)
    expect(ms).toBeLessThanOrEqual(DEADLINE_MS + 250)
    expect(running()).toBe(0)
    if (code !== undefined) {
      // nobody else was named, or the one that hangs was waited for until the deadline before anything was there
      expect(['DEADLINE_EXCEEDED', 'ENGINE_FAILED', 'NO_CANDIDATE', 'PEER_LOST']).toContain(code)
      expect(pathway).toMatch(IS_LAST_WORD)
      return
    }
    if (failure === 'lying' && (IS_LAST_WORD.test(pathway) || TRUSTS.test(pathway))) expect(text).toMatch(/58|85/)
    else if (failure === 'of garbage' && (IS_LAST_WORD.test(pathway) || TRUSTS.test(pathway)))
      expect(text).toBeDefined()
    else if (/^(abstain|grounded)/.test(pathway)) expect(text).toMatch(/85|I do not know\./)
    else expect(text).toContain('85')
  })
})

it('every strategy that ships is looked at', () => {
  expect(new Set(PATHWAYS.map(([strategy]) => strategy))).toEqual(new Set(strategies().map(({ name }) => name)))
})

describe('time', () => {
  const timed = (
    id: string,
    firstDelayMs: number,
    clock: ManualClock,
    extra: Partial<ScriptedModelOptions> = {},
  ): ReturnType<typeof createScriptedModel> =>
    createScriptedModel({
      id,
      node: `node-${id}`,
      clock,
      firstDelayMs,
      answer: honest('85'),
      card: { tags: ['skill:arithmetic'] },
      ...extra,
    })
  const within = async (
    pathway: string,
    models: (clock: ManualClock) => readonly ReturnType<typeof createScriptedModel>[],
    deadlineMs: number = DEADLINE_MS,
  ): Promise<Ended> => {
    const clock = createManualClock()
    const network = createScriptedNetwork(models(clock), { clock })
    return ended(clock, network.ask(QUESTION, pathway, { budget: { deadlineMs } }))
  }

  it('of a vote is that of its slowest needed member', async () => {
    const voters = (clock: ManualClock) => [timed('a', 1000, clock), timed('b', 2000, clock), timed('c', 9000, clock)]
    expect(await within('vote(a | b | c)', voters)).toEqual({ text: '85', ms: 2000 })
    expect(await within('weighted(a | b | c)', voters)).toEqual({ text: '85', ms: 9000 })
    expect(await within('par(a, b, c, quorum=1) ! vote', voters)).toEqual({ text: '85', ms: 1000 })
    expect(await within('par(a, b, c, quorum=2) ! weighted', voters)).toEqual({ text: '85', ms: 2000 })
  })

  it('of several judges is that of one', async () => {
    const members = (clock: ManualClock) => [
      timed('a', 0, clock),
      ...['j1', 'j2', 'j3'].map(id => timed(id, 3000, clock, { card: { tags: ['skill:judging'] } })),
    ]
    expect(await within('verified(a, j1, judges=3, by=@judging)', members)).toEqual({ text: '85', ms: 3000 })
    expect(await within('rank(a | a | a, by=j1)', members)).toEqual({ text: '85', ms: 3000 })
    expect(await within('ranked(a | a, by=@judging)', members)).toEqual({ text: '85', ms: 3000 })
  })

  it('that is up leaves the answers that are there', async () => {
    const members = (clock: ManualClock) => [timed('a', 1000, clock), timed('b', 2000, clock), timed('c', 9000, clock)]
    expect(await within('weighted(a | b | c)', members, 3000)).toEqual({ text: '85', ms: 3000 })
    expect(await within('within(a | b | c, deadlineMs=3000) ! vote', members)).toEqual({ text: '85', ms: 3000 })
    expect(await within('a > c', members, 3000)).toEqual({ text: '85', ms: 3000 })
  })
})
