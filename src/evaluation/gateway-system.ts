import { z } from 'zod'
import { isErrorCode, ModelNetError } from '../utils/errors.ts'
import type { SampledSystem } from './baselines.ts'
import type { Question } from './question.ts'
import type { AskOptions, SystemAnswer } from './system.ts'

export interface GatewayOptions {
  /** Base URL of a running gateway, without `/v1`. */
  readonly url: string
  readonly key?: string
  /** A model id, `model@node`, `modelnet/auto` or a pathway in its text form. @default 'modelnet/auto' */
  readonly model?: string
  /** @default that of the gateway */
  readonly maxTokens?: number
  /** The name in reports. @default the model */
  readonly name?: string
}

/** Of the gateway's answer, what is read; the `modelnet` field says who made it and is absent at other servers. */
const CompletionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).optional(),
  modelnet: z.object({ members: z.array(z.object({ model: z.string(), node: z.string() })) }).optional(),
})
const ErrorSchema = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) })

/** A running network, one of its models, or a pathway in it, asked over HTTP as any client would. */
export function gatewaySystem(options: GatewayOptions): SampledSystem {
  const { url, key, model = 'modelnet/auto', maxTokens, name = model } = options
  const ask = async (
    question: Question,
    { signal, seed, temperature }: AskOptions & { temperature?: number },
  ): Promise<SystemAnswer> => {
    const started = performance.now()
    const body = {
      model,
      messages: [{ role: 'user', content: question.question }],
      temperature: temperature ?? 0,
      ...(seed === undefined ? {} : { seed }),
      ...(maxTokens === undefined ? {} : { max_completion_tokens: maxTokens }),
    }
    const completion = await post(new URL('/v1/chat/completions', url), body, key, signal)
    const members = completion.modelnet?.members.map(member => `${member.model}@${member.node}`)
    return {
      text: completion.choices[0]?.message.content ?? '',
      usage: {
        promptTokens: completion.usage?.prompt_tokens ?? 0,
        completionTokens: completion.usage?.completion_tokens ?? 0,
      },
      ms: performance.now() - started,
      calls: members?.length ?? 1,
      ...(members ? { members } : {}),
    }
  }
  return { name, answer: (question, asked = {}) => ask(question, asked), sample: ask }
}

async function post(
  url: URL,
  body: object,
  key: string | undefined,
  signal: AbortSignal | undefined,
): Promise<z.infer<typeof CompletionSchema>> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (key !== undefined) headers['authorization'] = `Bearer ${key}`
  let status: number
  let text: string
  try {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: signal ?? null })
    status = response.status
    text = await response.text()
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ModelNetError(
      'PEER_UNREACHABLE',
      `no gateway answers at ${url.origin}; start one with \`modelnet start\``,
      { cause },
    )
  }
  const json = parse(text)
  const error = ErrorSchema.safeParse(json)
  if (error.success) {
    const code = (error.data.error.code ?? '').toUpperCase()
    throw new ModelNetError(isErrorCode(code) ? code : 'PROTOCOL_ERROR', error.data.error.message)
  }
  const completion = CompletionSchema.safeParse(json)
  if (!completion.success)
    throw new ModelNetError(
      'PROTOCOL_ERROR',
      `${url.origin} answered ${status} with something that is not a chat completion`,
    )
  return completion.data
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
