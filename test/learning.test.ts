import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { learn } from '../src/application/commands/learn.ts'
import { readOutcomes } from '../src/application/learning/outcome-log.ts'
import type { Node } from '../src/application/node.ts'
import { fieldQuestions } from '../src/evaluation/index.ts'
import { addressOf, closeConfigured, linked, startConfigured } from './support/configured-nodes.ts'
import { temporaryDirectory } from './support/processes.ts'

/** Says that it can add, and is made to reverse words. */
const LIAR = 'crook/sums'
const SKILLS = ['skill:arithmetic', 'skill:addition']
const liar = {
  shipped: 'words',
  id: LIAR,
  tags: [...SKILLS, 'lang:en'],
  claims: SKILLS.map(tag => ({ tag, n: 1_000_000, accuracy: 0.99 })),
}

const QUESTIONS = fieldQuestions('arithmetic', 60, 99)
  .filter(({ kind }) => kind === 'addition')
  .slice(0, 6)

/** How many of the questions the model was asked, among others or alone. */
async function asked(node: Node, model: string): Promise<number> {
  let count = 0
  for (const { question } of QUESTIONS) {
    const { members } = await node.ask(question)
    if (members.some(member => member.model === model)) count++
  }
  return count
}

async function post(node: Node, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${node.gatewayUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}

describe('a network with a model whose card lies', { timeout: 300_000 }, () => {
  afterAll(closeConfigured)
  const dataDir = temporaryDirectory()
  const service = { probeEveryMs: 0 }
  const log = join(dataDir, 'outcomes.jsonl')
  const probes = (): readonly number[] => readOutcomes(log).flatMap(({ arm, score }) => (arm === LIAR ? [score] : []))
  let [trusting, probing, honest]: (Node | undefined)[] = []
  const nodes = async (): Promise<{ trusting: Node; probing: Node }> => {
    honest ??= await startConfigured({ models: [{ shipped: 'arithmetic-a', claims: [] }], service })
    const network = { bootstrap: [addressOf(honest)] }
    const crook = trusting ? undefined : await startConfigured({ models: [liar], network, service })
    trusting ??= await startConfigured({ network, service })
    probing ??= await startConfigured({ network, dataDir, service: { probeEveryMs: 10 } })
    if (crook) await linked(honest, crook, trusting, probing)
    return { trusting, probing }
  }

  it('asks it at first, and no more after 20 probes', async () => {
    const { trusting, probing } = await nodes()
    await expect.poll(() => probes().length, { timeout: 120_000 }).toBeGreaterThanOrEqual(8)
    expect(await asked(trusting, LIAR)).toBeGreaterThan(QUESTIONS.length / 2)
    expect(await asked(probing, LIAR)).toBe(0)
    expect(probes().length).toBeLessThanOrEqual(20)
    expect(probes().filter(score => score > 0).length).toBeLessThanOrEqual(1)
  })

  it('tells another node what it found out, signed, and that node asks it no more either', async () => {
    const { trusting, probing } = await nodes()
    await expect.poll(() => probes().length, { timeout: 120_000 }).toBeGreaterThanOrEqual(20)
    const { jws } = (await (await fetch(`${probing.gatewayUrl}/modelnet/attestation`)).json()) as { jws: string }
    const accepted = await post(trusting, '/modelnet/attestation', { jws })
    expect(accepted).toMatchObject({ status: 200, body: { evaluator: probing.id } })
    expect(await asked(trusting, LIAR)).toBe(0)
    const [head, payload, signature] = jws.split('.')
    const forged = `${head}.${Buffer.from(
      Buffer.from(payload ?? '', 'base64url')
        .toString()
        .replace('"wrong":', '"wrong":1'),
    ).toString('base64url')}.${signature}`
    expect((await post(trusting, '/modelnet/attestation', { jws: forged })).status).toBeGreaterThanOrEqual(400)
  })

  it('takes feedback on an answer once, and keeps what it learned when it leaves', async () => {
    const { probing } = await nodes()
    const model = 'modelnet/auto'
    const chat = { model, messages: [{ role: 'user', content: 'What is 12 plus 30?' }] }
    const { id } = (await post(probing, '/v1/chat/completions', chat)).body as { id: string }
    expect((await post(probing, '/modelnet/feedback', { id, score: 1 })).status).toBe(200)
    expect((await post(probing, '/modelnet/feedback', { id, score: 1 })).status).toBe(404)
    expect((await post(probing, '/modelnet/feedback', { id, score: 3 })).status).toBe(400)
    await probing.close(0)
    expect(readOutcomes(join(dataDir, 'outcomes.jsonl'))).toContainEqual(
      expect.objectContaining({
        question: 'What is 12 plus 30?',
        arm: 'modelnet/arithmetic-a',
        score: 1,
        source: 'feedback',
      }),
    )
    const evidence = JSON.parse(readFileSync(join(dataDir, 'evidence.json'), 'utf8')) as { model: string }[]
    expect(evidence.some(record => record.model.startsWith(`${LIAR}@`))).toBe(true)
  })

  it('learns a router from its graded answers, by which another node asks the liar no more', async () => {
    const { trusting } = await nodes()
    let said = ''
    const terminal = { color: false, out: (text: string) => (said += text), err: () => undefined, columns: 80 }
    await learn({ dataDir, json: true }, terminal)
    expect(JSON.parse(said)).toMatchObject({ arms: [LIAR, 'modelnet/arithmetic-a'] })
    const network = { bootstrap: trusting.directory.entries().flatMap(({ addresses }) => addresses.slice(0, 1)) }
    const router = join(dataDir, 'router.json')
    expect(statSync(router).size).toBeLessThan(5e6)
    const routed = await startConfigured({ network, service: { ...service, router } })
    await expect.poll(() => routed.directory.entries().flatMap(({ cards }) => cards).length).toBeGreaterThanOrEqual(2)
    expect(await asked(routed, LIAR)).toBe(0)
    expect((await routed.ask('What is 250 plus 31?')).why).toMatch(/of questions like this/)
  })
})
