import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The program as a user runs it; `npm test` builds it first. */
export const program: string = fileURLToPath(new URL('../../bin/modelnet.js', import.meta.url))

export interface NodeProcess {
  readonly node: string
  readonly gateway: string
  readonly addresses: readonly string[]
  readonly models: readonly string[]
  readonly child: ChildProcess
  /** Asks it to stop and resolves to its exit status. */
  stop(): Promise<number | null>
  kill(): Promise<void>
}

export const temporaryDirectory = (): string => mkdtempSync(join(tmpdir(), 'modelnet-test-'))

/** `modelnet serve --json --port 0 …` as a process of its own; rejects with what it said when it does not come up. */
export function startNode(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  entry: string = program,
): Promise<NodeProcess> {
  const own = args.includes('--data-dir') ? [] : ['--data-dir', temporaryDirectory()]
  const discovery = args.includes('--mdns') ? [] : ['--no-mdns']
  const rest = args.filter(arg => arg !== '--mdns')
  const child = spawn(process.execPath, [entry, 'serve', '--json', '--port', '0', ...own, ...discovery, ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let said = ''
  child.stderr?.on('data', chunk => {
    said += String(chunk)
  })
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the node ended with ${code}: ${said}`)))
    if (!child.stdout) return reject(new Error('no output'))
    createInterface({ input: child.stdout }).once('line', line => {
      const ready = JSON.parse(line) as Pick<NodeProcess, 'node' | 'gateway' | 'addresses' | 'models'> // our own line
      resolve({
        ...ready,
        child,
        async stop() {
          child.kill('SIGTERM')
          return exited
        },
        async kill() {
          child.kill('SIGKILL')
          await exited
        },
      })
    })
  })
}

/** Runs a command to its end. */
export function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => {
    out += String(chunk)
  })
  child.stderr.on('data', chunk => {
    err += String(chunk)
  })
  return new Promise(resolve => child.once('close', code => resolve({ code, out, err })))
}

/** Asks until `holds` says yes; fails after `ms`. */
export async function eventually<T>(ask: () => Promise<T>, holds: (value: T) => boolean, ms = 10_000): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const value = await ask()
    if (holds(value)) return value
    if (performance.now() > end) throw new Error(`still ${JSON.stringify(value)} after ${ms} ms`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

export interface PeersBody {
  readonly self: string
  readonly nodes: readonly {
    readonly node: string
    readonly state: string
    readonly draining?: boolean
    readonly models: readonly string[]
  }[]
}

export const peersOf = async (node: NodeProcess): Promise<PeersBody> =>
  (await (await fetch(`${node.gateway}/modelnet/peers`)).json()) as PeersBody

export interface ChatBody {
  readonly choices: readonly { readonly message: { readonly content: string } }[]
  readonly usage: { readonly completion_tokens: number }
  readonly error?: { readonly code: string; readonly message: string }
  readonly modelnet: {
    readonly pathway: string
    readonly members: readonly { readonly model: string; readonly node: string }[]
  }
}

/** One question to a node over HTTP; `status` beside the body. */
export async function ask(
  gateway: string,
  question: string,
  model = 'modelnet/auto',
): Promise<ChatBody & { readonly status: number }> {
  const response = await fetch(`${gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: question }] }),
  })
  return { ...((await response.json()) as ChatBody), status: response.status }
}

/** The final answer of a shipped specialist: what follows its worked steps. */
export const finalAnswer = (text: string): string => text.slice(text.lastIndexOf(')') + 1).trim()
