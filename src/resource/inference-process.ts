import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// Imports nothing of ours: a program may start the process before it loads the rest (`modelnet serve` does).

/** What the node gives the inference process on its command line, as JSON. */
export interface InferenceProcessOptions {
  readonly gpu?: 'auto' | false
  readonly threads?: number
}

/** Starts the process in which llama.cpp runs; a `WorkerEngine` speaks with it. It ends with its parent. */
export function startInferenceProcess(options: InferenceProcessOptions = {}): ChildProcess {
  // From source it needs the loader for TypeScript; built, it is one of the program's few files, which start quickly.
  const fromSource = import.meta.url.endsWith('.ts')
  const entry = new URL(fromSource ? './inference-worker.ts' : '../program/inference-worker.js', import.meta.url)
  return fork(fileURLToPath(entry), [JSON.stringify(options)], {
    serialization: 'advanced',
    execArgv: fromSource ? ['--import', 'tsx'] : [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
}
