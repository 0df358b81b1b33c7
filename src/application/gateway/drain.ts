import type { FastifyInstance } from 'fastify'
import { ModelNetError } from '../../utils/errors.ts'

/**
 * `POST /modelnet/drain` tells the node to leave in good order: it answers at once, takes no new work, lets what runs
 * finish, says goodbye and stops. Behind the gateway's keys like every route; where there are none only this machine may
 * ask. The JSON content type keeps web pages out, since a browser does not send it to another origin unasked.
 */
export function routeDrain(app: FastifyInstance, drain: () => void, options: { readonly hasKeys: boolean }): void {
  app.post('/modelnet/drain', async (request, reply) => {
    if (!options.hasKeys && !isLoopback(request.ip))
      throw new ModelNetError('FORBIDDEN', 'a node without keys is drained from its own machine only')
    if (!request.headers['content-type']?.startsWith('application/json'))
      throw new ModelNetError('INVALID_REQUEST', 'expected content-type: application/json')
    // After the answer is out, since draining closes the gateway.
    reply.raw.once('finish', drain)
    return reply.status(202).send({ draining: true })
  })
}

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
