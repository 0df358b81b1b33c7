import { isModelNetError, ModelNetError } from '../../utils/errors.ts'

/** A field or an index on the way into a term. */
export type Segment = string | number

/** Tells a reader where in what was given a part of a term stands: in the text, or in the JSON. */
export type Locate = (path: readonly Segment[]) => { readonly words: string; readonly position?: number }

/** An error that knows which part of the term is meant, but not yet how its writer sees that part. */
export interface Defective {
  readonly details: { readonly path: readonly Segment[] } & Readonly<Record<string, unknown>>
}

/** INVALID_PATHWAY for one part of a term. */
export const defect = (
  problem: string,
  path: readonly Segment[],
  details: Readonly<Record<string, unknown>> = {},
): ModelNetError & Defective =>
  new ModelNetError('INVALID_PATHWAY', problem, { details: { ...details, path } }) as ModelNetError & Defective // set here

/** Runs `action`; a defect it throws is told with its place. */
export function withPlaces<T>(locate: Locate, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (!isDefect(cause)) throw cause
    const { words, position } = locate(cause.details.path)
    const details = { ...cause.details, ...(position === undefined ? {} : { position }) }
    throw new ModelNetError('INVALID_PATHWAY', `${cause.message} at ${words}`, { details, cause })
  }
}

/** Places in the JSON form. */
export const inJson: Locate = path => ({ words: ['pathway', ...path].join('.') })

const isDefect = (error: unknown): error is ModelNetError & Defective =>
  isModelNetError(error) && error.code === 'INVALID_PATHWAY' && Array.isArray(error.details['path'])
