import { afterEach, describe, expect, it } from 'vitest'
import {
  ask,
  eventually,
  finalAnswer,
  type NodeProcess,
  type PeersBody,
  peersOf,
  startNode,
} from './support/processes.ts'

const started: NodeProcess[] = []
afterEach(async () => void (await Promise.all(started.splice(0).map(node => node.stop()))))

async function node(...args: string[]): Promise<NodeProcess> {
  const process = await startNode(args)
  started.push(process)
  return process
}

const alive = (count: number) => (body: PeersBody) =>
  body.nodes.filter(entry => entry.state === 'alive' && entry.models.length > 0).length === count
const modelsOf = (node: NodeProcess): string => node.models.join()

describe('a network of real processes', () => {
  it('forms from one bootstrap address, and each node can use the model of the other', async () => {
    const geography = await node('--model', 'geography')
    const arithmetic = await node('--model', 'arithmetic-a', '--bootstrap', geography.addresses[0] ?? '')
    await eventually(() => peersOf(geography), alive(2))
    await eventually(() => peersOf(arithmetic), alive(2))
    const capital = await ask(arithmetic.gateway, 'What is the capital of France?')
    expect(finalAnswer(capital.choices[0]?.message.content ?? '')).toBe('Paris')
    expect(capital.modelnet.members).toMatchObject([{ model: 'modelnet/geography', node: geography.node }])
    const sum = await ask(geography.gateway, 'What is 58 plus 27?')
    expect(finalAnswer(sum.choices[0]?.message.content ?? '')).toBe('85')
    expect(sum.modelnet.members).toMatchObject([{ node: arithmetic.node }])
  })

  it('answers with the models of the others as soon as it says that it is ready', async () => {
    const first = await node('--model', 'words')
    await node('--model', 'geography', '--bootstrap', first.addresses[0] ?? '')
    const late = await node('--model', 'arithmetic-a', '--bootstrap', first.addresses[0] ?? '')
    const capital = await ask(late.gateway, 'What is the capital of France?')
    expect(finalAnswer(capital.choices[0]?.message.content ?? '')).toBe('Paris')
  })

  it('forms without any address where multicast DNS works', async () => {
    const one = await node('--mdns', '--model', 'geography')
    const two = await node('--mdns', '--model', 'words')
    const capital = await ask(two.gateway, 'What is the capital of France?')
    expect(finalAnswer(capital.choices[0]?.message.content ?? '')).toBe('Paris')
    await eventually(
      () => peersOf(one),
      body => body.nodes.some(entry => entry.node === two.node && entry.state === 'alive'),
    )
    await eventually(
      () => peersOf(two),
      body => body.nodes.some(entry => entry.node === one.node && entry.state === 'alive'),
    )
  })

  it('goes on without the node that the others joined through', async () => {
    const first = await node('--model', 'words')
    const join = ['--bootstrap', first.addresses[0] ?? '']
    const second = await node('--model', 'geography', ...join)
    const third = await node('--model', 'arithmetic-a', ...join)
    await eventually(() => peersOf(third), alive(3))
    await eventually(() => peersOf(second), alive(3))
    await first.kill()
    const late = await node('--model', 'elements', '--bootstrap', second.addresses[0] ?? '')
    await eventually(
      () => peersOf(third),
      body => body.nodes.some(entry => entry.node === late.node && entry.state === 'alive'),
    )
    const answer = await ask(third.gateway, 'What is the capital of Japan?')
    expect(finalAnswer(answer.choices[0]?.message.content ?? '')).toBe('Tokyo')
  })

  it('loses no request when a node dies whose skill another node has', async () => {
    const asker = await node('--model', 'words')
    const join = ['--bootstrap', asker.addresses[0] ?? '']
    const holders = await Promise.all([node('--model', 'geography', ...join), node('--model', 'geography', ...join)])
    await eventually(() => peersOf(asker), alive(3))
    const questions = Array.from({ length: 60 }, () => 'What is the capital of Italy?')
    const answers = questions.map(async (question, index) => {
      if (index === 20) void holders[0].kill()
      const answer = await ask(asker.gateway, question)
      return answer.status === 200
        ? finalAnswer(answer.choices[0]?.message.content ?? '')
        : JSON.stringify(answer.error)
    })
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['Rome']))
    await eventually(
      () => peersOf(asker),
      body => body.nodes.every(entry => entry.node !== holders[0].node || entry.state !== 'alive'),
      2000,
    )
    expect(modelsOf(holders[1])).toContain('geography')
  })

  it('loses no request when a node leaves in good order', async () => {
    const asker = await node('--model', 'words')
    const join = ['--bootstrap', asker.addresses[0] ?? '']
    const [leaver] = await Promise.all([node('--model', 'geography', ...join), node('--model', 'geography', ...join)])
    await eventually(() => peersOf(asker), alive(3))
    const answers = Array.from({ length: 60 }, async (_, index) => {
      if (index === 20) void leaver.stop()
      const answer = await ask(asker.gateway, 'What is the capital of Egypt?')
      return answer.status === 200
        ? finalAnswer(answer.choices[0]?.message.content ?? '')
        : JSON.stringify(answer.error)
    })
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['Cairo']))
  })

  it('stops with status 0 when it is asked to', async () => {
    const process = await startNode(['--model', 'words'])
    expect(await process.stop()).toBe(0)
  })
})
