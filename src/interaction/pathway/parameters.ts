import { near, unknownName } from './near.ts'
import { defect, type Segment } from './place.ts'
import type { Arguments, Scalar } from './term.ts'

/** One argument that a rule, condition, strategy or way of fusing takes. */
export type Parameter =
  /** A whole number. */
  | { readonly kind: 'count'; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  /** A model, `@tag` or `*`. */
  | { readonly kind: 'name' }
  | { readonly kind: 'flag' }
  | { readonly kind: 'choice'; readonly of: readonly string[] }

/** By the name that stands before `=`. */
export type Parameters = Readonly<Record<string, Parameter>>

/** Most members, samples, judges, rounds or layers of a strategy. */
export const MAX_MEMBERS = 16

export const COUNT: Parameter = { kind: 'count', min: 1, max: MAX_MEMBERS }
export const SHARE: Parameter = { kind: 'number', min: 0, max: 1 }
export const TEMPERATURE: Parameter = { kind: 'number', min: 0, max: 10 }
export const NAME: Parameter = { kind: 'name' }
export const FLAG: Parameter = { kind: 'flag' }

/**
 * Refuses arguments that would be ignored: names that `owner` does not take, and values of another kind or range. Throws
 * INVALID_PATHWAY that names the argument, what was probably meant, and all that is taken; `at` tells where it stands,
 * `beside` what else is named in the same place and read elsewhere.
 */
export function checkArguments(
  owner: string,
  parameters: Parameters,
  args: Arguments,
  at: (name: string) => readonly Segment[],
  beside: readonly string[] = [],
): void {
  for (const [name, value] of Object.entries(args)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (parameter === undefined) {
      const known = [...beside, ...Object.keys(parameters)]
      const details = { argument: name, near: near(name, known), known }
      throw defect(unknownName(owner, 'argument', name, known), at(name), details)
    }
    if (!fits(value, parameter))
      throw defect(`${name} of ${owner} is ${wordsFor(parameter)}, not ${said(value)}`, at(name), { argument: name })
  }
}

function fits(value: Scalar, parameter: Parameter): boolean {
  if (parameter.kind === 'flag') return typeof value === 'boolean'
  if (parameter.kind === 'name') return typeof value === 'string' && value !== ''
  if (parameter.kind === 'choice') return typeof value === 'string' && parameter.of.includes(value)
  const isNumber = typeof value === 'number' && value >= parameter.min && value <= parameter.max
  return isNumber && (parameter.kind === 'number' || Number.isInteger(value))
}

/** What a value must be, for errors and lists. */
function wordsFor(parameter: Parameter): string {
  if (parameter.kind === 'flag') return 'true or false'
  if (parameter.kind === 'name') return 'a model, @tag or *'
  if (parameter.kind === 'choice') return `one of ${parameter.of.join(', ')}`
  return `${parameter.kind === 'count' ? 'a whole number' : 'a number'} from ${parameter.min} to ${parameter.max}`
}

const said = (value: Scalar): string => (typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value))
