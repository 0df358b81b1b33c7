import { afterEach, describe, expect, it } from 'vitest'
import type { Directory } from '../network/index.ts'
import { silentLogger } from '../utils/logger.ts'
import { ConfigSchema } from './config-schema.ts'
import type { Deployment } from './deployment.ts'
import { routeDeployment } from './deployment-routes.ts'
import { createGateway, type Gateway } from './gateway/server.ts'
import { createMetrics } from './metrics.ts'

const open: Gateway[] = []
afterEach(async () => void (await Promise.all(open.splice(0).map(gateway => gateway.close()))))

const NODES = ['12D3KooWalpha-one', '12D3KooWbeta-two', '12D3KooWgamma-two']
const directory: Directory = { entries: () => [], entry: () => undefined, onChange: () => () => undefined }

/** What a gateway with these keys answers, and what it told the deployment to do. */
async function post(body: string, keys: readonly string[] = []): Promise<{ status: number; answer: unknown }> {
  const deployment: Pick<Deployment, 'deploy'> = {
    deploy: async (id, { node = 'chosen' } = {}) => ({ id, node, movedBytes: 0, started: true }),
  }
  const gateway = await createGateway(
    {
      ask: () => {
        throw new Error('is not asked here')
      },
      metrics: createMetrics(directory),
      directory,
      strategies: () => [],
      logger: silentLogger,
      routes: app => routeDeployment(app, deployment as Deployment, () => NODES), // the route under test calls no other
    },
    ConfigSchema.parse({ gateway: { port: 0, keys } }).gateway,
  )
  open.push(gateway)
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${gateway.url}/modelnet/deploy`, { method: 'POST', body, headers })
  return { status: response.status, answer: await response.json() }
}

describe('deployment over HTTP', () => {
  it.each([
    ['a node of the network’s choice', {}, 'chosen'],
    ['the node that is named whole', { node: NODES[0] }, NODES[0]],
    ['the node that is named by its end, as tables show it', { node: '…pha-one' }, NODES[0]],
    ['the node that is named by its beginning', { node: '12D3KooWbe' }, NODES[1]],
  ])('starts a model on %s', async (_, where, node) => {
    const { answer } = await post(JSON.stringify({ model: 'lab/a', ...where }))
    expect(answer).toEqual({ id: 'lab/a', node, movedBytes: 0, started: true })
  })

  it.each([
    ['an unknown node', { model: 'lab/a', node: 'delta' }, 404],
    ['a name that fits two nodes', { model: 'lab/a', node: 'two' }, 404],
    ['no model', {}, 400],
    ['a field that does not exist', { model: 'lab/a', file: '/etc/passwd' }, 400],
  ])('refuses %s', async (_, body, status) => {
    expect((await post(JSON.stringify(body))).status).toBe(status)
  })

  it('asks for the key of the gateway', async () => {
    expect((await post(JSON.stringify({ model: 'lab/a' }), ['secret'])).status).toBe(401)
  })
})
