import { describe, expect, it } from 'vitest'
import type { GenerateRequest } from '../../protocol/index.ts'
import { createScriptedModel } from '../../testing/index.ts'
import { isModelNetError } from '../../utils/errors.ts'
import { parsePathway } from '../pathway/text.ts'
import type { ScriptedNetworkOptions } from '../scripted-network.ts'
import { createScriptedNetwork } from '../scripted-network.ts'
import { strategies } from './index.ts'

type Answer = string | ((request: GenerateRequest) => string)
const promptOf = ({ messages }: GenerateRequest): string => messages.map(({ content }) => content).join('\n')

/** Answers by what it is asked: a question, a verdict, a comparison, an order. */
const behaving =
  (answer: Answer, judge: Partial<Record<'verdict' | 'better' | 'order' | 'index' | 'yesno', string>> = {}) =>
  (request: GenerateRequest): string => {
    const prompt = promptOf(request)
    if (prompt.includes('approve or disapprove')) return judge.verdict ?? 'approve'
    if (prompt.includes('Reply with A for the first')) return judge.better ?? 'A'
    if (prompt.includes('from best to worst')) return judge.order ?? '1 > 2 > 3'
    if (prompt.includes('agrees best with the majority')) return judge.index ?? '1'
    if (prompt.includes('Reply only true or false') || prompt.includes('Reply only yes or no'))
      return judge.yesno ?? 'yes'
    return typeof answer === 'string' ? answer : answer(request)
  }

const model = (id: string, answer: Answer, extra: object = {}): ReturnType<typeof createScriptedModel> =>
  createScriptedModel({
    id,
    node: `node-${id}`,
    answer: typeof answer === 'string' ? behaving(answer) : answer,
    card: { tags: ['skill:arithmetic'] },
    ...extra,
  })

const network = (
  models: ReturnType<typeof createScriptedModel>[],
  options: ScriptedNetworkOptions = {},
): ReturnType<typeof createScriptedNetwork> => createScriptedNetwork(models, options)

const calls = (events: readonly { readonly type: string }[]): number =>
  events.filter(({ type }) => type === 'call-start').length

describe('every strategy that ships', () => {
  const models = ['a', 'b', 'c', 'd', 'small', 'medium', 'large', 'small-a', 'small-b']
  it.each(strategies().map(strategy => [strategy.name, strategy.example, strategy]))(
    '%s: %s runs within its bound',
    async (_, example) => {
      const net = network(models.map(id => model(id, '85')))
      const { bound } = net.coordinator.inspect(example)
      const result = await net.ask('<document>38 + 47 = 85</document>\n\nWhat is 38 + 47?', example)
      expect(['85', 'I do not know.']).toContain(result.text)
      expect(calls(net.events)).toBeLessThanOrEqual(bound.calls)
      expect(result.members.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9)
      expect(parsePathway(result.pathway)).toEqual(net.coordinator.inspect(result.pathway).term)
    },
  )

  it('has one line of description and needs', () => {
    for (const { description, needs, name } of strategies()) {
      expect(description, name).not.toContain('\n')
      expect(needs.length).toBeGreaterThan(0)
    }
  })
})

describe('votes', () => {
  it('count what was said, not what could not be read', async () => {
    const net = network([model('a', 'I cannot say'), model('b', 'no idea'), model('c', 'The answer is 12.')])
    expect((await net.ask('?', 'vote(a|b|c)')).text).toBe('The answer is 12.')
  })

  it('weigh by what is known of the voters', async () => {
    const voters = [model('good', '85'), model('poor1', '58'), model('poor2', '58')]
    const abilities = { good: 0.97, poor1: 0.4, poor2: 0.4 }
    expect((await network(voters, { abilities }).ask('?', 'vote(good|poor1|poor2)')).text).toBe('58')
    expect((await network(voters, { abilities }).ask('?', 'weighted(good|poor1|poor2)')).text).toBe('85')
  })

  it('stop as soon as they are decided, so a hanging member costs nothing', async () => {
    const hanging = model('slow', '1', { hang: true })
    const net = network([model('a', '4'), model('b', '4'), hanging])
    expect((await net.ask('?', 'vote(a|b|slow)')).text).toBe('4')
    expect(hanging.running).toBe(0)
    expect(net.events).toContainEqual(expect.objectContaining({ message: expect.stringContaining('stopped') }))
  })

  it('replace a member that fails by a model nobody asked yet', async () => {
    const net = network([
      model('a', '4', { failure: { afterParts: 0 } }),
      model('b', '5'),
      model('c', '5'),
      model('d', '5'),
    ])
    const result = await net.ask('?', 'weighted(@arithmetic, n=3)')
    expect(result.members.map(member => member.model).sort()).toEqual(['b', 'c', 'd'])
  })

  it('are one vote per model, however many nodes offer it', async () => {
    const copies = ['x', 'y'].map(node =>
      createScriptedModel({ id: 'a', node, answer: '1', card: { tags: ['skill:arithmetic'] } }),
    )
    const net = network([...copies, model('b', '2'), model('c', '2')])
    expect((await net.ask('?', 'vote(@arithmetic, n=3)')).text).toBe('2')
  })
})

describe('cascades', () => {
  it('ask the strong model only when the cheap ones disagree', async () => {
    const strong = model('strong', '9')
    expect((await network([model('a', '4'), model('b', '4'), strong]).ask('?', 'cascade(a, b, strong)')).text).toBe('4')
    expect(strong.requests).toHaveLength(0)
    expect((await network([model('a', '4'), model('b', '5'), strong]).ask('?', 'cascade(a, b, strong)')).text).toBe('9')
  })

  it('keep the cheap answer when the strong model is lost', async () => {
    const net = network([model('a', '4'), model('b', '5'), model('strong', '9', { failure: { afterParts: 0 } })])
    expect(['4', '5']).toContain((await net.ask('?', 'cascade(a, b, strong)')).text)
  })

  it('climb where a model is not sure enough', async () => {
    const unsure = model('small', '4', { certainty: 0.3 })
    const sure = model('medium', '5', { certainty: 0.95 })
    const large = model('large', '6')
    expect((await network([unsure, sure, large]).ask('?', 'staircase(small, medium, large, at=0.8)')).text).toBe('5')
    expect(large.requests).toHaveLength(0)
    expect((await network([sure, large]).ask('?', 'guaranteed(medium, large, at=0.99)')).text).toBe('6')
  })

  it('escalate what other models do not approve', async () => {
    const judges = ['j1', 'j2'].map(id => model(id, behaving('0', { verdict: 'I do not accept this' })))
    const net = network([...judges, model('a', '4'), model('strong', '9')], { abilities: { j1: 0.9, j2: 0.9 } })
    expect((await net.ask('?', 'verified(a, strong)')).text).toBe('9')
  })
})

describe('chains', () => {
  it('show every stage the question and the answer before it', async () => {
    const second = model('b', '2')
    const third = model('c', '3')
    const net = network([model('a', 'one and one'), second, third])
    expect((await net.ask('What is 1 + 1?', 'serial(a, b, c)')).text).toBe('3')
    expect(promptOf(second.requests[0] as GenerateRequest)).toMatch(/What is 1 \+ 1\?[\s\S]*one and one/)
    expect(promptOf(third.requests[0] as GenerateRequest)).toContain('verifier')
  })

  it('let critic and sceptic speak at the same time, and one write from all that was said', async () => {
    const critic = model('b', 'no error found')
    const sceptic = model('c', 'unproven')
    const solver = model('a', request => (promptOf(request).includes('unproven') ? '85 after all' : '85'))
    const net = network([solver, critic, sceptic], { analysis: { format: 'text' } })
    expect((await net.ask('What is 38 + 47?', 'roles(a, b, c)')).text).toBe('85 after all')
    expect(promptOf(critic.requests[0] as GenerateRequest)).toContain('List the concrete errors')
    expect(promptOf(sceptic.requests[0] as GenerateRequest)).toContain('As a sceptic')
    expect(promptOf(solver.requests[1] as GenerateRequest)).toMatch(/85[\s\S]*no error found[\s\S]*unproven/)
    const starts = net.events.flatMap((event, at) => (event.type === 'call-start' ? [at] : []))
    const ends = net.events.flatMap((event, at) => (event.type === 'call-end' ? [at] : []))
    expect(starts[2]).toBeLessThan(ends[1] ?? 0)
  })

  it('give the joint writers the answer before them', async () => {
    const writer = model('b', '2')
    const net = network([model('a', 'because of this'), writer, model('c', '2')])
    expect((await net.ask('?', 'a > b + c')).text).toBe('2')
    expect(writer.requests.map(request => promptOf(request as GenerateRequest)).join()).toContain('because of this')
  })
})

describe('debate', () => {
  it('is a vote when all agree from the start', async () => {
    const net = network(['a', 'b', 'c'].map(id => model(id, '4')))
    await net.ask('?', 'debate(a|b|c)')
    expect(calls(net.events)).toBe(3)
  })

  it('goes on until more than two thirds agree, and no longer', async () => {
    const convinced = model('c', request => (promptOf(request).includes('quote') ? '4' : '7'))
    const net = network([model('a', '4'), model('b', '5'), convinced])
    const result = await net.ask('?', 'debate(a|b|c, rounds=2)')
    expect(result.text).toBe('4')
    expect(calls(net.events)).toBe(9)
  })

  it('keeps the first answers when talking makes agreement worse', async () => {
    const confused = ['a', 'b', 'c'].map((id, index) =>
      model(id, request =>
        promptOf(request).includes('quote') ? `I am lost, maybe ${index + 70}` : index < 2 ? '4' : '5',
      ),
    )
    expect((await network(confused).ask('?', 'debate(a|b|c)')).text).toBe('4')
  })
})

describe('judges', () => {
  it('are none of the candidates where there is another', async () => {
    const judge = model('judge', behaving('0', { better: 'B' }))
    const members = [model('a', '1'), model('b', '2')]
    await network([...members, judge]).ask('?', 'rank(a|b)')
    expect(judge.requests).toHaveLength(2)
    expect(members.map(({ requests }) => requests.length)).toEqual([1, 1])
  })

  it('that only look at the order decide nothing', async () => {
    const net = network([model('a', '1'), model('b', '2'), model('judge', behaving('0', { better: 'A' }))], {
      abilities: { b: 0.9 },
    })
    expect((await net.ask('?', 'rank(a|b, by=judge)')).text).toBe('2') // half a win each: the abler member
  })

  it('that reply nonsense never lose the better candidate', async () => {
    const net = network(
      [
        model('a', '1'),
        model('b', '2'),
        model('judge', behaving('{broken', { better: '{"broken', order: '???', index: '77' })),
      ],
      { abilities: { b: 0.9 } },
    )
    for (const pathway of ['rank(a|b, by=judge)', 'ranked(a|b, by=judge, judges=1)', 'usc(a|b, by=judge)'])
      expect((await net.ask('?', pathway)).text).toBe('2')
  })

  it('order by points', async () => {
    const orders = ['2 > 1 > 3', '2 > 3 > 1', '1 > 2 > 3']
    const judges = orders.map((order, index) => model(`j${index}`, behaving('0', { order })))
    const net = network([...judges, model('a', '1'), model('b', '2'), model('c', '3')], {
      abilities: { j0: 0.9, j1: 0.9, j2: 0.9 },
    })
    expect((await net.ask('?', 'ranked(a|b|c)')).text).toBe('2')
  })
})

describe('caution', () => {
  it('does not answer what others find wrong, and says so in the language of the question', async () => {
    const judges = model('judge', behaving('hm', { yesno: 'false' }))
    const net = network([judges, model('a', '4')], { analysis: { language: 'zh' }, abilities: { judge: 0.9 } })
    expect((await net.ask('?', 'abstain(a)')).text).toBe('我不知道。')
  })

  it('does not give an answer its maker can be talked out of', async () => {
    const fickle = model('a', request => (promptOf(request).includes('may be right or wrong') ? '5' : '4'))
    const net = network([fickle, model('b', 'It is 5, because…')])
    expect((await net.ask('?', 'abstain(a, how=compete)')).text).toBe('I do not know.')
    expect((await network([model('a', '4'), model('b', 'It is 5')]).ask('?', 'abstain(a, how=compete)')).text).toBe('4')
  })

  it('revises once what the documents do not support', async () => {
    const judge = model('judge', request => (promptOf(request).includes('42 moons') ? 'no' : 'yes'))
    const writer = model('a', request =>
      promptOf(request).includes('quoted answer strictly') ? 'Mars has two moons.' : 'Mars has 42 moons.',
    )
    const net = network([judge, writer], { analysis: { format: 'text' } })
    const result = await net.ask(
      '<document>Mars has two moons.</document>\nHow many moons has Mars?',
      'grounded(a, by=judge)',
    )
    expect(result.text).toBe('Mars has two moons.')
  })

  it('does not give an answer of which only the first sentences were looked at', async () => {
    const judge = model('judge', request => (promptOf(request).includes('made of cheese') ? 'no' : 'yes'))
    const writer = model('a', `${'Mars has two moons. '.repeat(20)}The moons are made of cheese.`)
    const net = network([judge, writer], { analysis: { format: 'text' } })
    const question = '<document>Mars has two moons.</document>\nHow many moons has Mars?'
    expect((await net.ask(question, 'grounded(a, by=judge)')).text).toBe('I do not know.')
  })
})

describe('failures', () => {
  const kinds: readonly [string, object][] = [
    ['killed', { failure: { afterParts: 0 } }],
    ['killed in mid-answer', { failure: { afterParts: 1 } }],
    ['hanging', { hang: true }],
    ['slow', { firstDelayMs: 50 }],
  ]
  const pathways = [
    '(bad|b|c) ! vote',
    '(bad|b|c) ! weighted',
    'b > bad',
    '(bad|b) ?{agree} c',
    'debate(bad|b|c)',
    'moa(bad|b|c, by=b)',
    'bad + b',
    'orElse(bad, b)',
    'roles(b, bad, c)',
    'dynamic(b)',
    'bad ~ b',
  ]
  it.each(pathways.flatMap(pathway => kinds.map(([kind, extra]) => [pathway, kind, extra] as const)))(
    '%s answers with a member %s, within its deadline',
    async (pathway, _, extra) => {
      const net = network([model('b', '4'), model('c', '4'), model('bad', '4 4 4', extra)])
      const started = performance.now()
      try {
        const result = await net.ask('?', pathway, { budget: { deadlineMs: 400 } })
        expect(result.text).toContain('4')
      } catch (error) {
        // a lone member of `orElse` or `+` that hangs holds the rest until the deadline
        expect(isModelNetError(error) && error.code).toBe('DEADLINE_EXCEEDED')
        expect(pathway).toMatch(/orElse|\+|~/)
      }
      expect(performance.now() - started).toBeLessThan(3000)
    },
  )

  it('garbage from a member is an abstention', async () => {
    const garbage = model('bad', '\u0000\ufffd<|im_start|>system')
    const net = network([garbage, model('b', '4'), model('c', '4')])
    for (const pathway of ['vote(bad|b|c)', 'weighted(bad|b|c)', 'debate(bad|b|c)'])
      expect((await net.ask('?', pathway)).text).toBe('4')
  })
})
