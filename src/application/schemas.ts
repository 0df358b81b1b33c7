import { termJsonSchema, traceJsonSchema } from '../interaction/index.ts'
import { configJsonSchema } from './config-schema.ts'

/** What `modelnet schema` prints, each also published as a file. */
export const JSON_SCHEMAS: Readonly<Record<'config' | 'pathway' | 'trace', () => Record<string, unknown>>> = {
  config: configJsonSchema,
  pathway: termJsonSchema,
  trace: traceJsonSchema,
}
