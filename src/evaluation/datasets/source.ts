import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { ModelNetError } from '../../utils/errors.ts'

/** Largest file that is read, in bytes: data sets are tens of megabytes. */
const MAX_BYTES = 512 * 1024 * 1024

/** One record of a file, with where it stands. */
export interface Located<T> {
  readonly value: T
  readonly file: string
  /** First line of the record, from 1. */
  readonly line: number
}

/** @throws NOT_FOUND, PAYLOAD_TOO_LARGE */
export async function readText(file: string): Promise<string> {
  const { size } = await stat(file).catch((cause: unknown) => {
    throw new ModelNetError(
      'NOT_FOUND',
      `there is no file ${file}; data sets are read from local files, never downloaded`,
      { cause },
    )
  })
  if (size > MAX_BYTES)
    throw new ModelNetError('PAYLOAD_TOO_LARGE', `${file} has ${size} bytes; expected at most ${MAX_BYTES}`)
  return (await readFile(file, 'utf8')).replace(/^\uFEFF/u, '')
}

/** The files of a folder and its folders that end in `extension`, in order; a file stands for itself. */
export async function filesUnder(path: string, extension: string): Promise<readonly string[]> {
  const facts = await stat(path).catch((cause: unknown) => {
    throw new ModelNetError(
      'NOT_FOUND',
      `there is no file or folder ${path}; data sets are read from local files, never downloaded`,
      { cause },
    )
  })
  if (!facts.isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(entry => entry.isFile() && entry.name.endsWith(extension))
    .map(entry => join(entry.parentPath, entry.name))
  if (files.length === 0) throw new ModelNetError('NOT_FOUND', `there is no ${extension} file under ${path}`)
  return files.sort()
}

/** Non-empty lines as JSON. @throws INVALID_REQUEST naming file and line */
export async function readJsonLines(file: string): Promise<readonly Located<unknown>[]> {
  const lines = (await readText(file)).split(/\r?\n/u)
  return lines.flatMap((text, index) =>
    text.trim() === '' ? [] : [{ value: parseJson(text, file, index + 1), file, line: index + 1 }],
  )
}

/** Records of a CSV file (RFC 4180: quoted fields may hold commas, doubled quotes and line breaks). */
export async function readCsv(file: string): Promise<readonly Located<readonly string[]>[]> {
  const text = await readText(file)
  const records: Located<readonly string[]>[] = []
  let fields: string[] = []
  let field = ''
  let quoted = false
  let line = 1
  let start = 1
  const endRecord = (): void => {
    if (fields.length > 0 || field !== '') records.push({ value: [...fields, field], file, line: start })
    fields = []
    field = ''
    start = line
  }
  for (let index = 0; index < text.length; index++) {
    const char = text[index]
    if (char === '\n') line++
    if (quoted) {
      if (char !== '"') field += char
      else if (text[index + 1] === '"') field += text[++index]
      else quoted = false
    } else if (char === '"' && field === '') quoted = true
    else if (char === ',') {
      fields.push(field)
      field = ''
    } else if (char === '\n') endRecord()
    else if (char !== '\r') field += char
  }
  if (quoted)
    throw new ModelNetError('INVALID_REQUEST', `${file}:${start}: expected a closing quote before the end of the file`)
  endRecord()
  return records
}

/** @throws INVALID_REQUEST naming file, line and field */
export function checked<T>(schema: z.ZodType<T>, { value, file, line }: Located<unknown>): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const field = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
  throw new ModelNetError('INVALID_REQUEST', `${file}:${line}: ${field}${issue?.message ?? 'not the expected form'}`)
}

/** @throws INVALID_REQUEST naming file and line */
export function parseJson(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ModelNetError(
      'INVALID_REQUEST',
      `${file}:${line}: expected JSON (${cause instanceof Error ? cause.message : 'unreadable'})`,
      { cause },
    )
  }
}
