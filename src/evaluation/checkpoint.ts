import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ModelNetError } from '../utils/errors.ts'
import type { Row } from './run.ts'

/** Finished rows on disk: a first line that says which run they belong to, then one row per line. */
export interface Checkpoint {
  readonly fingerprint: {
    readonly seed: number
    readonly questions: number
    readonly systems: number
    readonly digest: string
  }
  readonly rows: readonly Row[]
  append(row: Row): Promise<void>
  close(): Promise<void>
}

/**
 * Opens or starts a checkpoint. A last line that was cut off by a crash is dropped and asked again.
 *
 * @throws INVALID_CONFIG when the file belongs to a run with other systems, questions or seed, or is no checkpoint
 */
export async function openCheckpoint(file: string, fingerprint: Checkpoint['fingerprint']): Promise<Checkpoint> {
  await mkdir(dirname(file), { recursive: true })
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const [head, ...lines] = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(line => line !== '')
  if (head !== undefined && head !== JSON.stringify(fingerprint))
    throw new ModelNetError(
      'INVALID_CONFIG',
      `${file} belongs to another run (other questions, systems or seed); delete it or name another file`,
    )
  const rows = lines.map((line, index) => parseRow(line, file, index + 2))
  const handle = await open(file, 'w')
  try {
    await handle.write([JSON.stringify(fingerprint), ...lines].map(line => `${line}\n`).join(''))
  } catch (error) {
    await handle.close()
    throw error
  }
  let last: Promise<unknown> = Promise.resolve()
  return {
    fingerprint,
    rows,
    async append(row) {
      const written = last.then(() => handle.write(`${JSON.stringify(row)}\n`))
      last = written.catch(() => undefined) // the caller of this append hears of it
      await written
    },
    async close() {
      await last
      await handle.close()
    },
  }
}

function parseRow(line: string, file: string, number: number): Row {
  try {
    return JSON.parse(line) as Row // written by `append`; the first line vouches for the form
  } catch (cause) {
    throw new ModelNetError('INVALID_CONFIG', `${file}:${number}: expected a row in JSON`, { cause })
  }
}
