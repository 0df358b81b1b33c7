import { type FastifyInstance, fastify } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { routeDrain } from './drain.ts'
import { toOpenAiError } from './openai-error.ts'

const apps: FastifyInstance[] = []
afterEach(async () => void (await Promise.all(apps.splice(0).map(app => app.close()))))

function start(hasKeys: boolean): { readonly app: FastifyInstance; readonly drained: () => number } {
  const app = fastify()
  let count = 0
  app.setErrorHandler((thrown, _, reply) => reply.status(toOpenAiError(thrown).status).send({}))
  routeDrain(app, () => void count++, { hasKeys })
  apps.push(app)
  return { app, drained: () => count }
}
const json = { 'content-type': 'application/json' }
const post = { method: 'POST', url: '/modelnet/drain' } as const

describe('POST /modelnet/drain', () => {
  it('answers first and drains then', async () => {
    const { app, drained } = start(false)
    const response = await app.inject({ ...post, headers: json, payload: {} })
    expect([response.statusCode, response.json(), drained()]).toEqual([202, { draining: true }, 1])
  })

  it('is refused from another machine when there are no keys, and to web pages', async () => {
    const { app, drained } = start(false)
    const far = await app.inject({ ...post, headers: json, payload: {}, remoteAddress: '10.0.0.9' })
    const page = await app.inject(post)
    expect([far.statusCode, page.statusCode, drained()]).toEqual([403, 400, 0])
  })

  it('is served to other machines when keys guard the gateway', async () => {
    const { app, drained } = start(true)
    const far = await app.inject({ ...post, headers: json, payload: {}, remoteAddress: '10.0.0.9' })
    expect([far.statusCode, drained()]).toEqual([202, 1])
  })
})
