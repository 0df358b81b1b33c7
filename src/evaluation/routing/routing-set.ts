import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'

/** One recorded question. A router may read `query` or `question`; everything else is for scoring. */
export interface RoutingRow {
  readonly id: string
  /** Empty where the file does not say it. */
  readonly dataset: string
  readonly query: string
  readonly question?: string | undefined
  readonly scores?: readonly number[] | undefined
  readonly costs?: readonly number[] | undefined
  readonly responses?: readonly string[] | undefined
  readonly answer?: string | undefined
  /** One letter per model, `-` where none was found. */
  readonly preds?: string | undefined
  readonly out_chars?: readonly number[] | undefined
}

const RowSchema: z.ZodType<RoutingRow> = z.object({
  id: z.string(),
  dataset: z.string().default(''),
  query: z.string(),
  question: z.string().optional(),
  scores: z.array(z.number()).optional(),
  costs: z.array(z.number()).optional(),
  responses: z.array(z.string()).optional(),
  answer: z.string().optional(),
  preds: z.string().optional(),
  out_chars: z.array(z.number()).optional(),
})

export interface RoutingMeta {
  readonly name: string
  readonly models: readonly string[]
  /** Billions of active parameters; null where unknown. */
  readonly active_params_b?: readonly (number | null)[] | undefined
}

const MetaSchema: z.ZodType<RoutingMeta> = z.object({
  name: z.string(),
  models: z.array(z.string()).min(2),
  active_params_b: z.array(z.number().nullable()).optional(),
})

/** Reads `meta.json` of a set of recorded answers. Throws INVALID_REQUEST when it is none. */
export function readRoutingMeta(path: string): RoutingMeta {
  return parse(MetaSchema, readFileSync(path, 'utf8'), path)
}

/** Reads rows, one JSON object a line, gzipped or not. Throws INVALID_REQUEST naming the line that is no row. */
export function readRoutingRows(path: string): readonly RoutingRow[] {
  const bytes = readFileSync(path)
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map((line, index) => parse(RowSchema, line, `${path}:${index + 1}`))
}

function parse<T>(schema: z.ZodType<T>, text: string, place: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ModelNetError('INVALID_REQUEST', `${place} is not JSON`, { cause })
  }
  const result = schema.safeParse(value)
  if (!result.success)
    throw new ModelNetError(
      'INVALID_REQUEST',
      `${place} is not what a routing set has: ${z.prettifyError(result.error)}`,
    )
  return result.data
}
