import type { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'

/** A request's body as its schema has it. Throws INVALID_REQUEST with the field and what was expected. */
export function readBody<T>(schema: z.ZodType<T>, body: unknown, expected: string): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const param = issue?.path.join('.') ?? ''
  throw new ModelNetError('INVALID_REQUEST', `${param || 'the body'}: ${issue?.message ?? `not ${expected}`}`, {
    details: { param },
  })
}
