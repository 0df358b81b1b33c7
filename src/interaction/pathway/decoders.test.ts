import { expect, it } from 'vitest'
import { createScriptedModel } from '../../testing/index.ts'
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
