import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { MAX_ATTESTATION_BYTES } from '../../protocol/index.ts'
import { ModelNetError } from '../../utils/errors.ts'
import type { Learning } from '../learning/learning.ts'

const FeedbackSchema = z.strictObject({ id: z.string().min(1).max(200), score: z.number().min(0).max(1) })
const AttestationSchema = z.strictObject({
  jws: z.string().min(1).max(MAX_ATTESTATION_BYTES),
  trust: z.number().min(0).max(1).optional(),
  maxAnswers: z.number().min(0).max(1e6).optional(),
})

/**
 * `POST /modelnet/feedback {id, score}` says how good an answer was, by the id it came with. `GET /modelnet/attestation`
 * gives what this node knows of models, signed; `POST` of one takes in what another knows. Without keys only this machine
 * may tell the node what to believe.
 */
export function routeLearning(
  app: FastifyInstance,
  learning: Pick<Learning, 'feedback' | 'attestations'>,
  { hasKeys }: { readonly hasKeys: boolean },
): void {
  app.post('/modelnet/feedback', async request => {
    const { id, score } = read(FeedbackSchema, request)
    learning.feedback(id, score)
    return { learned: true }
  })
  app.get('/modelnet/attestation', async () => ({ jws: await learning.attestations.issue() }))
  app.post('/modelnet/attestation', async request => {
    if (!hasKeys && !isLoopback(request.ip))
      throw new ModelNetError('FORBIDDEN', 'a node without keys takes attestations from its own machine only')
    const { jws, trust, maxAnswers } = read(AttestationSchema, request)
    return learning.attestations.accept(jws, {
      ...(trust !== undefined && { trust }),
      ...(maxAnswers !== undefined && { maxAnswers }),
    })
  })
}

function read<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  // a browser sends no other origin this content type unasked
  if (!request.headers['content-type']?.startsWith('application/json'))
    throw new ModelNetError('INVALID_REQUEST', 'expected content-type: application/json')
  const parsed = schema.safeParse(request.body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ModelNetError('INVALID_REQUEST', `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'not valid'}`)
}

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
