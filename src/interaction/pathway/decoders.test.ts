import { expect, it } from 'vitest'
import { createAdmission, withAdmission } from '../../resource/index.ts'
import { createManualClock, createScriptedModel } from '../../testing/index.ts'
import { createScriptedNetwork } from '../scripted-network.ts'

const model = (id: string, answer: string, extra: object = {}): ReturnType<typeof createScriptedModel> =>
  createScriptedModel({ id, node: `node-${id}`, answer, card: { tags: ['skill:arithmetic'] }, ...extra })

it.each([
  ['a + b'],
  ['(a + b) + c'],
  ['a ~ b'],
  ['a ~ (b + c)'],
  ['speculate(a, b + c, bytes=16)'],
  ['fuse(a, b, rule=product)'],
  ['fuse(a, b, rule=gated)'],
  ['fuse(a, b, rule=defer)'],
  ['fuse(a, b, c, rule=span)'],
  ['fuse(a, b, rule=contrast, strength=0.5)'],
  ['fuse(a, b, c, rule=proxy)'],
  ['fuse(a, b, weights=1/0)'],
  ['joint(@arithmetic, n=3)'],
  ['decode(a)'],
])('%s writes the text its members agree on', async pathway => {
  const models = ['a', 'b', 'c'].map(id => model(id, 'forty-two'))
  const network = createScriptedNetwork(models)
  const result = await network.ask('?', pathway)
  expect(result.text).toBe('forty-two')
  expect(models.flatMap(({ sessions }) => sessions).every(session => session.closed)).toBe(true)
})

it('gives the text of the body whatever the drafter writes', async () => {
  const network = createScriptedNetwork([model('a', 'forty-three, I think'), model('b', 'forty-two')])
  expect((await network.ask('?', 'a ~ b')).text).toBe('forty-two')
})

it('tells in the trace what a joint text took, and who chose it', async () => {
  const network = createScriptedNetwork([model('a', 'forty-two'), model('b', 'forty-two')])
  await network.ask('?', 'a + b')
  expect(network.events).toContainEqual({
    type: 'note',
    stage: expect.any(String),
    message: 'what the joint text took',
    facts: expect.objectContaining({
      bytes: 9,
      roundTrips: expect.any(Number),
      candidatesPerStep: 0,
      bytesPerStep: expect.any(Number),
      waitingMsPerStep: expect.any(Number),
      combiningMsPerStep: expect.any(Number),
      members: [expect.objectContaining({ votes: 9, agreed: 9 }), expect.objectContaining({ votes: 9, agreed: 9 })],
    }),
  })
})

it('leaves out a member that is far below the best', async () => {
  const weak = model('weak', 'nonsense nonsense')
  const network = createScriptedNetwork([model('a', 'forty-two'), weak], { abilities: { a: 0.95, weak: 0.2 } })
  expect((await network.ask('?', 'a + weak')).text).toBe('forty-two')
  expect(weak.sessions).toHaveLength(0)
  expect(network.events).toContainEqual(expect.objectContaining({ message: expect.stringContaining('no voice') }))
})

it('goes on with the others when a member cannot be opened, but not without one that has a role', async () => {
  const broken = model('broken', 'x', { failure: { afterParts: 0 } })
  const network = createScriptedNetwork([model('a', 'forty-two'), broken])
  expect((await network.ask('?', 'a + broken')).text).toBe('forty-two')
  await expect(network.ask('?', 'fuse(a, broken, rule=contrast)')).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
})

it('refuses rules that do not exist and roles without a model', async () => {
  const network = createScriptedNetwork([model('a', 'x')])
  await expect(network.ask('?', 'fuse(a, a, rule=magic)')).rejects.toMatchObject({ code: 'INVALID_PATHWAY' })
  await expect(network.ask('?', 'fuse(a, rule=contrast)')).rejects.toMatchObject({ code: 'INVALID_PATHWAY' })
})

it('gives back all it has opened when the one who leads cannot be opened', async () => {
  const a = model('a', 'forty-two')
  const b = model('b', 'forty-two')
  let opened = 0
  const network = createScriptedNetwork([
    {
      ...a,
      async open(...call) {
        if (++opened === 2) throw new Error('no second session')
        return a.open(...call)
      },
    },
    b,
  ])
  await expect(network.ask('?', 'fuse(a, b, rule=gated)')).rejects.toThrow('no second session')
  expect([...a.sessions, ...b.sessions].map(session => session.closed)).toEqual([true, true])
})

it.each([
  ['a ~ b', 'b ~ a'],
  ['a + (b ~ c)', 'c + (b ~ a)'],
  ['fuse(a, b, rule=gated)', 'fuse(b, a, rule=gated)'],
])('%s and %s are both answered though each waits for what the other holds', async (one, other) => {
  const clock = createManualClock()
  const admission = createAdmission({ clock })
  // two sessions at once is what a gated text takes of its leader
  const card = { tags: [], concurrency: one.includes('gated') ? 2 : 1 }
  const models = ['a', 'b', 'c'].map(id => model(id, 'forty-two', { clock, stepDelayMs: 10, card }))
  const network = createScriptedNetwork(
    models.map(each => withAdmission(each, admission, 'local')),
    { clock },
  )
  const texts: string[] = []
  const asked = [one, other].map(async pathway => texts.push((await network.ask('?', pathway)).text))
  for (let waited = 0; waited < 60_000 && texts.length < 2; waited += 500) await clock.advance(500)
  expect(texts).toEqual(['forty-two', 'forty-two'])
  await Promise.all(asked)
  expect(models.map(({ running }) => running)).toEqual([0, 0, 0])
})

it('tells those it opens how long the request has left', async () => {
  const told: (number | undefined)[] = []
  const a = model('a', 'forty-two')
  const network = createScriptedNetwork([
    {
      ...a,
      open(request, options) {
        told.push(options?.deadlineMs)
        return a.open(request, options)
      },
    },
  ])
  await network.ask('?', 'decode(a)', { budget: { deadlineMs: 5000 } })
  expect(told).toEqual([expect.closeTo(5000, -3)])
})
