import { describe, expect, it } from 'vitest'
import type { Capability } from '../protocol/index.ts'
import type { Task } from '../service/index.ts'
import { createScriptedModel } from '../testing/index.ts'
import { choosePathway, majority } from './choice.ts'
import { printPathway } from './pathway/print.ts'
import type { ScriptedNetworkOptions } from './scripted-network.ts'
import { createScriptedNetwork } from './scripted-network.ts'

const model = (
  id: string,
  tags = ['skill:arithmetic'],
  capabilities: readonly Capability[] = ['generate'],
): ReturnType<typeof createScriptedModel> =>
  createScriptedModel({ id, node: id, card: { tags, capabilities }, answer: '4' })

const chosen = (
  models: ReturnType<typeof createScriptedModel>[],
  options: ScriptedNetworkOptions = {},
  task: Partial<Task> = {},
): { text: string; why: string } => {
  const { matcher, analysis } = createScriptedNetwork(models, options)
  const { term, why } = choosePathway(
    {
      id: 't',
      messages: [{ role: 'user', content: '?' }],
      options: {},
      budget: {},
      preference: { quality: 1, cost: 0, latency: 0.01 },
      ...task,
    },
    analysis,
    matcher,
  )
  return { text: printPathway(term), why }
}

describe('the automatic choice', () => {
  it('is one model when one is clearly best', () => {
    expect(chosen([model('a'), model('b'), model('c')], { abilities: { a: 0.97, b: 0.7, c: 0.6 } }).text).toBe(
      '@arithmetic',
    )
  })

  it('is a vote among equals of middling ability', () => {
    const { text, why } = chosen([model('a'), model('b'), model('c')], { abilities: { a: 0.72, b: 0.71, c: 0.7 } })
    expect(text).toBe('weighted(n=3)')
    expect(why).toContain('about equally able')
  })

  it('is the surest of several specialists of which none is known to be better', () => {
    const specialists = ['a', 'b', 'c'].map(id => model(id, ['skill:arithmetic'], ['generate', 'tokens']))
    const abilities = { a: 0.82, b: 0.8, c: 0.3 }
    expect(chosen(specialists, { abilities }).text).toBe('surest(@arithmetic, n=2)')
    expect(chosen(specialists, { abilities, analysis: { format: 'text' } }).text).toBe('@arithmetic')
    expect(chosen(specialists, { abilities }, { budget: { calls: 1 } }).text).toBe('@arithmetic')
  })

  it('is no vote where answers cannot be compared, or three calls are not allowed', () => {
    const abilities = { a: 0.72, b: 0.71, c: 0.7 }
    expect(chosen([model('a'), model('b'), model('c')], { abilities, analysis: { format: 'text' } }).text).toBe(
      '@arithmetic',
    )
    expect(chosen([model('a'), model('b'), model('c')], { abilities }, { budget: { calls: 2 } }).text).toBe(
      '@arithmetic',
    )
  })

  it('asks one model of a question where those of a vote are busy', () => {
    const models = [model('a'), model('b'), model('c')]
    const abilities = { a: 0.72, b: 0.71, c: 0.7 }
    expect(chosen(models, { abilities, loads: { a: 2, b: 2, c: 2 } }).text).toBe('weighted(n=3)')
    expect(chosen(models, { abilities, loads: { a: 2, b: 2.5, c: 1 } }).text).toBe('@arithmetic')
  })

  it('is a cascade when money counts and two cheap models are good', () => {
    const options = { abilities: { strong: 0.95, x: 0.9, y: 0.88 }, costs: { strong: 1, x: 0.05, y: 0.05 } }
    const models = [model('strong'), model('x'), model('y')]
    expect(chosen(models, options, { preference: { quality: 1, cost: 0.5, latency: 0 } }).text).toBe(
      'x | y ?{agree} strong',
    )
    expect(chosen(models, options, { preference: { quality: 1, cost: 0, latency: 0 } }).text).toBe('@arithmetic')
  })

  it('plans what has several parts, where there is a planner and room for it', () => {
    const models = [model('a'), model('planner', ['skill:planning'])]
    expect(chosen(models, { analysis: { composite: true } }).text).toBe('plan(@planning, else=*)')
    expect(chosen(models, { analysis: { composite: true } }, { budget: { calls: 1 } }).text).toBe('@arithmetic')
    expect(chosen([model('a')], { analysis: { composite: true } }).text).toBe('@arithmetic')
  })

  it('says something when there is nobody', () => {
    expect(chosen([]).text).toBe('*')
  })
})

it('computes what a majority of independent voters is worth', () => {
  expect(majority([0.7])).toBeCloseTo(0.7)
  expect(majority([0.7, 0.7, 0.7])).toBeCloseTo(0.784)
  expect(majority([1, 1, 0])).toBe(1)
})
