import type { LlamaGrammar, LlamaModel } from 'node-llama-cpp'
import { ModelNetError } from '../../../utils/errors.ts'

type Schema = Readonly<Record<string, unknown>>

const TYPES: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])
const MAX_DEPTH = 32

/**
 * A grammar for a JSON Schema. What a grammar cannot say (patterns, ranges of numbers) is not enforced; a schema that is
 * none is INVALID_REQUEST, where the engine's own conversion would answer `null`.
 */
export async function createJsonGrammar(model: LlamaModel, schema: Schema): Promise<LlamaGrammar> {
  const known = toKnownSchema(schema, 0)
  try {
    // The type lists the schemas it knows; what `toKnownSchema` gives is among them.
    return await model.llama.createGrammarForJsonSchema(known as { type: 'object' })
  } catch (cause) {
    throw new ModelNetError('INVALID_REQUEST', 'the JSON schema cannot be turned into a grammar', { cause })
  }
}

/** The same in the words the engine knows: `anyOf` as `oneOf`, missing types from what stands beside them. */
function toKnownSchema(schema: unknown, depth: number): Schema {
  if (!isSchema(schema)) throw invalid(`expected an object, got ${JSON.stringify(schema)}`)
  if (depth > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH}`)
  const { anyOf, oneOf, properties, items, $defs, definitions, allOf, ...rest } = schema
  const inner = (value: unknown): Schema => toKnownSchema(value, depth + 1)
  const each = (value: unknown): Schema =>
    Object.fromEntries(Object.entries(asSchema(value, 'properties')).map(([name, part]) => [name, inner(part)]))
  const alternatives = anyOf ?? oneOf
  if (alternatives !== undefined && !(Array.isArray(alternatives) && alternatives.length > 0))
    throw invalid('anyOf and oneOf are lists that are not empty')
  if (allOf !== undefined) {
    if (Array.isArray(allOf) && allOf.length === 1)
      return toKnownSchema({ ...asSchema(allOf[0], 'allOf'), ...rest }, depth + 1)
    throw invalid('allOf of several schemas cannot be turned into a grammar')
  }
  const type = rest['type'] ?? (properties ? 'object' : items ? 'array' : undefined)
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type]
  for (const name of types) if (!TYPES.has(name)) throw invalid(`there is no type ${JSON.stringify(name)}`)
  const says = types.length > 0 || alternatives || ['enum', 'const', '$ref'].some(word => word in rest)
  if (!says) throw invalid('expected type, enum, const, anyOf or $ref')
  return {
    ...rest,
    ...(type === undefined ? {} : { type }),
    ...(Array.isArray(alternatives) ? { oneOf: alternatives.map(inner) } : {}),
    ...(properties === undefined ? {} : { properties: each(properties) }),
    ...(items === undefined ? {} : { items: inner(items) }),
    ...($defs === undefined ? {} : { $defs: each($defs) }),
    ...(definitions === undefined ? {} : { definitions: each(definitions) }),
  }
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function asSchema(value: unknown, where: string): Schema {
  if (isSchema(value)) return value
  throw invalid(`expected an object in ${where}`)
}

const invalid = (why: string): ModelNetError => new ModelNetError('INVALID_REQUEST', `the JSON schema: ${why}`)
