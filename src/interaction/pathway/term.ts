import { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'
import { unknownName } from './near.ts'
import { defect, inJson, type Segment, withPlaces } from './place.ts'

/** A value in the arguments of a rule, condition or strategy. */
export type Scalar = string | number | boolean
export type Arguments = Readonly<Record<string, Scalar>>

/** What a call is asked to do with the answers that are already on the board. */
const ROLES = ['answer', 'auto', 'revise', 'verify', 'synthesize', 'debate', 'criticize', 'doubt'] as const
export type Role = (typeof ROLES)[number]

/** One question to one model, named late: `@tag`, `*`, `model`, `model@node`. */
export interface CallTerm {
  readonly call: string
  /** @default 'auto': answer on an empty board, revise one answer, synthesize several */
  readonly role?: Role
  /** The rank-th distinct model (0 is the best) among those the reference names. @default 0 */
  readonly rank?: number
  /** How many siblings take ranks of the same reference; spares for failover come after them. @default rank + 1 */
  readonly ranks?: number
  /** @default that of the task */
  readonly temperature?: number
  readonly maxTokens?: number
  /** Asks for token probabilities, so that the answer says how sure its maker is. @default false */
  readonly confidence?: boolean
}

/** The algebra as plain data: its JSON form. Each term has one head field; the others are its options. */
export type Term =
  | CallTerm
  | { readonly seq: readonly Term[] }
  | {
      readonly par: readonly Term[]
      /** Answers that are enough; the other branches are then stopped. @default all */
      readonly quorum?: number
      /** Failed branches that are forgiven. @default all but one */
      readonly tolerate?: number
      /** A rule that may declare the outcome settled before all branches ended. */
      readonly decide?: string
    }
  | { readonly pick: string; readonly with?: Arguments }
  | { readonly gate: Term; readonly else: Term; readonly accept?: string; readonly with?: Arguments }
  | { readonly route: Readonly<Record<string, Term>>; readonly else?: Term }
  | { readonly loop: Term; readonly until: string; readonly max: number; readonly with?: Arguments }
  | { readonly orElse: readonly Term[] }
  | { readonly plan: string; readonly else?: Term; readonly join?: string }
  | { readonly decode: DecoderTerm; readonly maxTokens?: number }
  | { readonly strategy: string; readonly of?: readonly Term[]; readonly with?: Arguments }
  | { readonly within: Limits; readonly of: Term }
  | { readonly redact: string; readonly of: Term }
  | { readonly audited: number; readonly of: Term; readonly by?: string }
  | { readonly cached: number; readonly of: Term }

export interface Limits {
  readonly calls?: number
  readonly tokens?: number
  readonly cost?: number
  readonly deadlineMs?: number
}

/** Sources of distributions. */
export type DecoderTerm =
  | { readonly lift: string }
  | {
      readonly fuse: readonly DecoderTerm[]
      /** @default 'mean' */
      readonly rule?: string
      readonly weights?: readonly number[]
      readonly with?: Arguments
    }
  | {
      /** Drafts. */
      readonly speculate: DecoderTerm
      /** Decides. */
      readonly body: DecoderTerm
      /** Bytes drafted at a time. @default 8 */
      readonly bytes?: number
    }

/** Deepest nesting and largest number of terms of one pathway: a client's term is hostile until counted. */
export const MAX_TERM_DEPTH = 24
const MAX_TERMS = 256

/** Every head field, and what stands for it in words; `parseTerm` names these in its errors. */
const TERM_HEADS = [
  'call',
  'seq',
  'par',
  'pick',
  'gate',
  'route',
  'loop',
  'orElse',
  'plan',
  'decode',
  'strategy',
  'within',
  'redact',
  'audited',
  'cached',
] as const

/** Checks unknown data. Throws INVALID_PATHWAY with the place of the first defect. */
export const parseTerm = (value: unknown): Term => withPlaces(inJson, () => checkTerm(value))

/** `parseTerm` for those who know where in a text each part stands. Throws a defect of the first part that is wrong. */
export function checkTerm(value: unknown): Term {
  measure(value, 0, { terms: 0 })
  const result = TermSchema.safeParse(value)
  if (result.success) return result.data
  const { path, message } = deepest(value, result.error.issues)
  throw defect(message, path)
}

/** JSON Schema (2020-12) of the JSON form, for users' editors. */
export const termJsonSchema = (): Record<string, unknown> => z.toJSONSchema(TermSchema) as Record<string, unknown>

const name = z.string().min(1).max(200)
const scalar = z.union([z.string().max(1000), z.number(), z.boolean()])
/** Names that a constructor uses itself cannot name an argument: the text form could not tell them apart. */
const argument = z
  .string()
  .regex(/^(?!(?:accept|else|until|max|rule|weights|join)$)[A-Za-z][A-Za-z0-9]*$/, 'expected an argument name')
const arm = name.regex(/^(?!else$)/, 'the other case is the field else of the term')
const args = z.record(argument, scalar).exactOptional()
const count = z.int().min(1).max(1_000_000)

export const TermSchema: z.ZodType<Term> = z.lazy(() => z.union(termObjects)).meta({ id: 'Term' })

const DecoderTermSchema: z.ZodType<DecoderTerm> = z.lazy(() => z.union(decoderObjects)).meta({ id: 'Decoder' })
const decoderObjects = [
  z.strictObject({ lift: name }),
  z.strictObject({
    fuse: z.array(DecoderTermSchema).min(1).max(16),
    rule: name.exactOptional(),
    weights: z.array(z.number().min(0)).min(1).max(16).exactOptional(),
    with: args,
  }),
  z.strictObject({ speculate: DecoderTermSchema, body: DecoderTermSchema, bytes: count.exactOptional() }),
] as const

const limitsObject = z.strictObject({
  calls: count.exactOptional(),
  tokens: count.exactOptional(),
  cost: z.number().min(0).exactOptional(),
  deadlineMs: z.number().min(1).exactOptional(),
})

const terms = z.array(TermSchema).min(1).max(64)
const termObjects = [
  z.strictObject({
    call: name,
    role: z.enum(ROLES).exactOptional(),
    rank: z.int().min(0).max(63).exactOptional(),
    ranks: z.int().min(1).max(64).exactOptional(),
    temperature: z.number().min(0).max(10).exactOptional(),
    maxTokens: count.exactOptional(),
    confidence: z.boolean().exactOptional(),
  }),
  z.strictObject({ seq: terms }),
  z.strictObject({
    par: terms,
    quorum: count.exactOptional(),
    tolerate: z.int().min(0).exactOptional(),
    decide: name.exactOptional(),
  }),
  z.strictObject({ pick: name, with: args }),
  z.strictObject({ gate: TermSchema, else: TermSchema, accept: name.exactOptional(), with: args }),
  z.strictObject({ route: z.record(arm, TermSchema), else: TermSchema.exactOptional() }),
  z.strictObject({ loop: TermSchema, until: name, max: z.int().min(1).max(64), with: args }),
  z.strictObject({ orElse: terms }),
  z.strictObject({ plan: name, else: TermSchema.exactOptional(), join: name.exactOptional() }),
  z.strictObject({ decode: DecoderTermSchema, maxTokens: count.exactOptional() }),
  z.strictObject({ strategy: name, of: z.array(TermSchema).max(64).exactOptional(), with: args }),
  z.strictObject({ within: limitsObject, of: TermSchema }),
  z.strictObject({ redact: name, of: TermSchema }),
  z.strictObject({ audited: z.number().min(0).max(1), of: TermSchema, by: name.exactOptional() }),
  z.strictObject({ cached: z.number().positive(), of: TermSchema }),
] as const

function measure(value: unknown, depth: number, seen: { terms: number }): void {
  if (depth > MAX_TERM_DEPTH * 2 || ++seen.terms > MAX_TERMS * 8)
    throw new ModelNetError('INVALID_PATHWAY', `a pathway has at most ${MAX_TERMS} terms, ${MAX_TERM_DEPTH} deep`)
  if (typeof value !== 'object' || value === null) return
  for (const part of Object.values(value)) measure(part, depth + 1, seen)
}

const HEADS: ReadonlySet<string> = new Set([...TERM_HEADS, 'lift', 'fuse', 'speculate'])

interface Issue {
  readonly path: readonly Segment[]
  readonly message: string
}

/** A union reports the issues of every alternative; the one whose head field is there is the one the writer meant. */
function deepest(root: unknown, issues: readonly z.core.$ZodIssue[]): Issue {
  const flat: Issue[] = []
  const walk = (issue: z.core.$ZodIssue, base: readonly PropertyKey[]): void => {
    const path = [...base, ...issue.path] as Segment[] // JSON has no symbols
    if (issue.code === 'unrecognized_keys')
      flat.push(...issue.keys.map(key => ({ path: [...path, key], message: unknownField(key, root, path) })))
    else if (issue.code !== 'invalid_union') {
      const name = path.at(-1)
      flat.push({ path, message: name === undefined ? issue.message : `${name}: ${issue.message}` })
    } else {
      const value = valueAt(root, path)
      const meant = issue.errors.filter(list => !list.some(inner => missesHead(inner, value)))
      if (meant.length === 0) flat.push({ path, message: `expected a term with one of ${TERM_HEADS.join(', ')}` })
      for (const list of meant) for (const inner of list) walk(inner, path)
    }
  }
  for (const issue of issues) walk(issue, [])
  return flat.reduce((a, b) => (b.path.length > a.path.length ? b : a))
}

/** What is said of a field that its term does not have: what was probably meant, and what there is. */
function unknownField(key: string, root: unknown, path: readonly Segment[]): string {
  const fields = Object.keys(valueAt(root, path) as object) // only objects have fields that are not known
  const head = path.at(-1) === 'within' ? undefined : fields.find(field => HEADS.has(field))
  const shape = [...termObjects, ...decoderObjects].find(({ shape }) => head !== undefined && head in shape)?.shape
  const known = Object.keys(shape ?? limitsObject.shape)
  return unknownName(head ?? 'within', 'field', key, known)
}

function missesHead(issue: z.core.$ZodIssue, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const [head] = issue.path
  return issue.path.length === 1 && HEADS.has(String(head)) && !Object.hasOwn(value, String(head))
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key] // path comes from zod
  return value
}
