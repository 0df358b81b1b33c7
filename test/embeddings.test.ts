import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { learn } from '../src/application/commands/learn.ts'
import type { Node } from '../src/application/node.ts'
import { createIdentity } from '../src/network/index.ts'
import { addressOf, closeConfigured, linked, startConfigured } from './support/configured-nodes.ts'
import { temporaryDirectory } from './support/processes.ts'

const KEY = 'test-key'
const model = 'modelnet/geography'
const FRANCE = 'What is the capital of France?'
const SPAIN = 'What is the capital of Spain?'
const WORDS = 'modelnet/words'
const FRUIT = ['apple', 'pear', 'plum', 'grape', 'cherry', 'melon']
const PARTS = ['engine', 'brake', 'gear', 'wheel', 'clutch', 'motor']

let asking: Node
let first: Node
let second: Node
let client: OpenAI
beforeAll(async () => {
  // one that only answers, one that does both, one that only embeds
  asking = await startConfigured({ models: [{ shipped: 'words' }], gateway: { keys: [KEY] } })
  const join = { network: { bootstrap: [addressOf(asking)] } }
  const others = { shipped: 'elements', embed: 'only' as const, allow: [createIdentity().nodeId] }
  first = await startConfigured({ models: [{ shipped: 'geography', embed: true }, others], ...join })
  second = await startConfigured({ models: [{ shipped: 'geography', embed: 'only' }], ...join })
  client = new OpenAI({ baseURL: `${asking.gatewayUrl}/v1`, apiKey: KEY, maxRetries: 0 })
}, 90_000)
afterAll(closeConfigured)

const cosine = (a: readonly number[] = [], b: readonly number[] = []): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)
const nodeOf = (answer: object): unknown => ('modelnet' in answer ? (answer.modelnet as { node: string }).node : '')

describe('embeddings of a network, by the official OpenAI client', () => {
  it('are made by the model of another node', { timeout: 60_000 }, async () => {
    await linked(asking, first, second)
    // The client asks for base64 when it is not told otherwise.
    const answer = await client.embeddings.create({ model, input: [FRANCE, SPAIN, FRANCE] })
    const [france, spain, again] = answer.data.map(({ embedding }) => embedding)
    expect(answer.data.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(france).toHaveLength(128)
    expect(cosine(france, france)).toBeCloseTo(1, 3)
    expect(cosine(france, again)).toBeCloseTo(1, 3)
    expect(cosine(france, spain)).toBeLessThan(0.99999)
    expect(answer.usage.prompt_tokens).toBeGreaterThan(10)
    expect(answer.usage.total_tokens).toBe(answer.usage.prompt_tokens)
    expect([first.id, second.id]).toContain(nodeOf(answer))
  })

  it('are the same as numbers, and for a text that stands alone', async () => {
    const packed = await client.embeddings.create({ model, input: FRANCE })
    const plain = await client.embeddings.create({ model, input: FRANCE, encoding_format: 'float' })
    expect(cosine(packed.data[0]?.embedding, plain.data[0]?.embedding)).toBeCloseTo(1, 5)
  })

  it.each([() => first, () => second])('are made by the node that is named', async node => {
    const answer = await client.embeddings.create({ model: `${model}@${node().id}`, input: FRANCE })
    expect(nodeOf(answer)).toBe(node().id)
  })

  it('stand on the card, and a node that only embeds is not asked to answer', async () => {
    const cards = [first, second].map(node => asking.directory.entry(node.id)?.cards[0]?.capabilities)
    expect(cards).toEqual([['generate', 'tokens', 'bytes', 'score', 'embed'], ['embed']])
    const { members } = await asking.ask(FRANCE, { pathway: model })
    expect(members.map(({ node }) => node)).toEqual([first.id])
    await expect(asking.ask(FRANCE, { pathway: `${model}@${second.id}` })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
  })

  it.each([
    ['other dimensions', { model, input: FRANCE, dimensions: 64 }, 'unsupported', 'dimensions'],
    ['an empty text', { model, input: '' }, 'invalid_request', 'input'],
    ['an empty list', { model, input: [] }, 'invalid_request', 'input'],
    ['token ids', { model, input: [[1, 2, 3]] }, 'invalid_request', 'input'],
    ['a text beyond the context', { model, input: `${FRANCE} `.repeat(500) }, 'context_overflow', null],
    ['a model that only answers', { model: 'modelnet/words', input: FRANCE }, 'unsupported', 'model'],
    ['no model in particular', { model: 'modelnet/auto', input: FRANCE }, 'invalid_request', 'model'],
  ])("are refused with OpenAI's error for %s", async (_, body, code, param) => {
    await expect(client.embeddings.create(body)).rejects.toMatchObject({ status: 400, code, param })
  })

  it('are not found for a model that nobody offers, and not made without a key', async () => {
    await expect(client.embeddings.create({ model: 'nobody', input: FRANCE })).rejects.toThrow(OpenAI.NotFoundError)
    const stranger = new OpenAI({ baseURL: `${asking.gatewayUrl}/v1`, apiKey: 'wrong', maxRetries: 0 })
    await expect(stranger.embeddings.create({ model, input: FRANCE })).rejects.toThrow(OpenAI.AuthenticationError)
  })

  it('are forbidden, not missing, where the model is for others', async () => {
    await expect(client.embeddings.create({ model: 'elements', input: FRANCE })).rejects.toThrow(
      OpenAI.PermissionDeniedError,
    )
  })

  it('are counted with the requests', async () => {
    const response = await fetch(`${asking.gatewayUrl}/metrics`, { headers: { authorization: `Bearer ${KEY}` } })
    const text = await response.text()
    expect(text).toMatch(/modelnet_calls_total\{model="modelnet\/geography",code="OK"\} [1-9]/)
    expect(text).toMatch(/modelnet_requests_total\{code="FORBIDDEN"\} 1/)
    expect(text).toContain('modelnet_requests_active 0')
  })

  it('go on with the other node when one is lost', async () => {
    await second.close(0)
    // Asked at once, when the others may not know yet.
    const answers = await Promise.all([1, 2, 3].map(() => client.embeddings.create({ model, input: [FRANCE, SPAIN] })))
    expect(answers.map(nodeOf)).toEqual([first.id, first.id, first.id])
  })

  it('teach a router, which goes by words and says so when its encoder is away', { timeout: 60_000 }, async () => {
    const dataDir = temporaryDirectory()
    const pairs = (field: readonly string[]): readonly string[] =>
      field.flatMap(a => field.map(b => `Tell me of the ${a} and of the ${b}.`))
    const graded = (question: string, arm: string, score: number): string =>
      JSON.stringify({ question, arm, score, source: 'probe', at: 1 })
    const lines = [
      ...pairs(FRUIT).flatMap(question => [graded(question, WORDS, 1), graded(question, model, 0)]),
      ...pairs(PARTS).flatMap(question => [graded(question, WORDS, 0), graded(question, model, 1)]),
    ]
    writeFileSync(join(dataDir, 'outcomes.jsonl'), `${lines.join('\n')}\n`)
    let said = ''
    const terminal = { color: false, out: (text: string) => (said += text), err: () => undefined, columns: 80 }
    await learn({ dataDir, json: true, embed: model, url: asking.gatewayUrl, key: KEY }, terminal)
    expect(JSON.parse(said)).toMatchObject({ questions: 72, encoder: model })
    const routed = await startConfigured({
      network: { bootstrap: [addressOf(asking)] },
      service: {
        router: join(dataDir, 'router.json'),
        encoderMs: 20_000,
        probeEveryMs: 0,
        refine: { model, by: 'embedding', timeoutMs: 20_000, below: 1 },
      },
    })
    await linked(routed, asking, first)
    // An analysis by the same model; its examples are embedded with the first question.
    const refinementOf = async (question: string): Promise<string | undefined> =>
      (await routed.ask(question)).trace.analysis.refinement
    await expect
      .poll(() => refinementOf('Which country is Lyon in?'), { timeout: 30_000 })
      .toMatch(/^the embedding model modelnet\/geography: skill:\w+ 0\.\d\d/)
    const whyOf = async (word: string): Promise<string> => (await routed.ask(`Tell me of the ${word}.`)).why
    // Of two fields with opposite winners the network by itself has one wrong.
    const byVectors = `${await whyOf('plum')} ${await whyOf('engine')}`
    expect(byVectors).toMatch(/of questions like this/)
    expect(byVectors).not.toMatch(/by words/)
    await first.close(0)
    expect(await whyOf('pear')).toMatch(/chosen by words, as the encoder modelnet\/geography cannot be asked/)
  })
})
