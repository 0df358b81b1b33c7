import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ModelNetError } from '../utils/errors.ts'
import type { Deployment } from './deployment.ts'

const DeploySchema = z.strictObject({
  model: z.string().min(1).max(128),
  node: z.string().min(1).max(128).exactOptional(),
})

/** `POST /modelnet/deploy` starts a model; `GET /modelnet/resources` says what this node has and does. */
export function routeDeployment(app: FastifyInstance, deployment: Deployment, nodes: () => readonly string[]): void {
  app.get('/modelnet/resources', () => deployment.resources())
  app.post('/modelnet/deploy', async request => {
    const { data, error } = DeploySchema.safeParse(request.body)
    if (!data)
      throw new ModelNetError('INVALID_REQUEST', `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`)
    const { model, node } = data
    return deployment.deploy(model, node === undefined ? {} : { node: toNodeId(node, nodes()) })
  })
}

/** A node may be named by the end or the beginning of its id, as the tables show it. */
function toNodeId(shown: string, nodes: readonly string[]): string {
  const text = shown.replace(/^…/, '')
  const found = nodes.filter(id => id === text || id.startsWith(text) || id.endsWith(text))
  if (found.length === 1 && found[0] !== undefined) return found[0]
  const what = found.length === 0 ? 'no node is called' : `${found.length} nodes are called`
  throw new ModelNetError('NOT_FOUND', `${what} ${shown}; \`modelnet peers\` lists them`)
}
