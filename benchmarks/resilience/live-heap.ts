import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a process still holds after a full collection: heap in use between collections is mostly what is not yet freed. */
export interface LiveHeap {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly liveMiB: number
  /** Of these compiled code and what V8 has learned of it. */
  readonly codeMiB: number
}

/**
 * Environment that makes any Node process collect all its garbage once in `everyMs` and note what is left, and how to
 * read the notes of one. The program itself is not changed.
 */
export function watchLiveHeaps(everyMs: number): {
  readonly env: Readonly<Record<string, string>>
  read(pid: number): readonly LiveHeap[]
} {
  const folder = mkdtempSync(join(tmpdir(), 'modelnet-live-heap-'))
  const source = `
    import { appendFileSync } from 'node:fs'
    import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8'
    import { runInNewContext } from 'node:vm'
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    setInterval(() => {
      collect()
      const code = getHeapCodeStatistics()
      const of = { at: Date.now(), liveMiB: process.memoryUsage().heapUsed / 2 ** 20,
        codeMiB: (code.code_and_metadata_size + code.bytecode_and_metadata_size) / 2 ** 20 }
      appendFileSync(${JSON.stringify(folder)} + '/' + process.pid, JSON.stringify(of) + '\\n')
    }, ${everyMs}).unref()`
  return {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` },
    read(pid) {
      const file = join(folder, `${pid}`)
      if (!existsSync(file)) return []
      return readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)) // written by the lines above
    },
  }
}
