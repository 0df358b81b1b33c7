import type { z } from 'zod'
import { ModelNetError } from '../utils/errors.ts'
import type { Channel } from './channel.ts'

/** Milliseconds a peer has for one exchange of membership. A peer that takes longer is asked again later. */
const EXCHANGE_DEADLINE_MS = 5000

/** Asks a peer one thing and gives the parts of its answer, checked. Throws PROTOCOL_ERROR, PEER_LOST or DEADLINE_EXCEEDED. */
export async function* ask<T>(
  channel: Channel,
  method: string,
  body: unknown,
  schema: z.ZodType<T>,
  deadlineMs: number = EXCHANGE_DEADLINE_MS,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const call = channel.call(method, body, { deadlineMs, ...(signal ? { signal } : {}) })
  call.end()
  for await (const part of call.parts) yield read(schema, part, `the answer to ${method}`)
}

/** Tells a peer something; resolves when the peer has taken it in. */
export async function tell(channel: Channel, method: string, body: unknown): Promise<void> {
  const call = channel.call(method, body, { deadlineMs: EXCHANGE_DEADLINE_MS })
  call.end()
  for await (const _ of call.parts); // a newer peer may answer something
}

/** What a peer said, checked. Throws PROTOCOL_ERROR. */
export function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ModelNetError('PROTOCOL_ERROR', `${what}: ${issue?.path.join('.')} ${issue?.message}`)
}
