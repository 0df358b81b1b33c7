import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { z } from 'zod'
import type { Logger } from './logger.ts'

/** What a node remembers over restarts in one JSON file, which is replaced as a whole and for its owner only. */
export interface KeptFile<T> {
  /** Undefined when there is none. Never rejects: a file that cannot be read is told of, and is none. */
  load(): Promise<T | undefined>
  /** Replaces what is kept; the last of overlapping calls stays. Never rejects. */
  save(value: T): Promise<void>
}

export interface KeptFileOptions<T> {
  readonly path: string
  /** What is kept, as the log calls it: `the peer book`. */
  readonly what: string
  readonly schema: z.ZodType<T>
  /** A longer file counts as damaged. */
  readonly maxBytes: number
}

export function createKeptFile<T>(logger: Logger, options: KeptFileOptions<T>): KeptFile<T> {
  const { path, what, schema, maxBytes } = options
  let writing: Promise<void> = Promise.resolve()

  const replace = async (text: string): Promise<void> => {
    const draft = `${path}.${randomUUID()}`
    try {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(draft, text, { mode: 0o600 })
      await rename(draft, path)
    } catch (error) {
      logger.warn({ path, reason: String(error) }, `cannot write ${what}`)
      await rm(draft, { force: true }).catch(() => undefined)
    }
  }

  const parse = (text: string): T | undefined => {
    if (text.length > maxBytes) return undefined
    try {
      return schema.safeParse(JSON.parse(text)).data
    } catch {
      return undefined
    }
  }

  return {
    async load() {
      const text = await readFile(path, 'utf8').catch(error => {
        if (error?.code !== 'ENOENT') logger.warn({ path, reason: String(error) }, `cannot read ${what}`)
        return undefined
      })
      const value = text === undefined ? undefined : parse(text)
      if (text !== undefined && value === undefined) logger.warn({ path }, `${what} is damaged and is started anew`)
      return value
    },
    save(value) {
      const text = JSON.stringify(value)
      writing = writing.then(() => replace(text))
      return writing
    },
  }
}
