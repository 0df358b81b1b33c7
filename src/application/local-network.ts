import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { ModelNetError } from '../utils/errors.ts'

export interface LocalNodePlan {
  readonly name: string
  /** Names of shipped models. */
  readonly models: readonly string[]
}

interface LocalNode {
  readonly name: string
  readonly node: string
  readonly gateway: string
  readonly addresses: readonly string[]
  readonly models: readonly string[]
  readonly pid: number
  /** Milliseconds from its start until it said that it is ready. */
  readonly ms: number
}

export interface LocalNetworkOptions {
  readonly plans: readonly LocalNodePlan[]
  /** One directory per node is made in it. */
  readonly dataDir: string
  /** Port of the first node's gateway; the others choose free ones. */
  readonly port: number
  /** Others on this machine may find the network by multicast DNS and join. @default true */
  readonly mdns?: boolean
  readonly signal?: AbortSignal
  readonly onReady?: (node: LocalNode) => void
  /** A process ended that nobody stopped. */
  readonly onExit?: (name: string, reason: string) => void
}

/** Processes of one network on this machine. */
export interface LocalNetwork {
  readonly nodes: readonly LocalNode[]
  /** Stops every process: asks first, kills what is still there after five seconds. */
  stop(): Promise<void>
}

const ReadySchema = z.object({
  type: z.literal('ready'),
  node: z.string(),
  gateway: z.string(),
  addresses: z.array(z.string()),
  models: z.array(z.string()),
})

const STOP_GRACE_MS = 5000

/**
 * Starts each node as a process of its own (`modelnet serve`). All are given the address of the first one to join
 * through, which is all they share: it may end afterwards, and the others go on.
 */
export async function startLocalNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const joinPort = await freePort()
  const children: ChildProcess[] = []
  let stopping: Promise<unknown> | undefined
  const stop = async (): Promise<void> => {
    stopping ??= Promise.all(children.map(stopChild))
    await stopping
  }
  options.signal?.addEventListener('abort', () => void stop(), { once: true })
  try {
    const nodes = await Promise.all(
      options.plans.map((plan, index) => {
        const network =
          index === 0
            ? ['--port', String(options.port), '--listen', `/ip4/127.0.0.1/tcp/${joinPort}`]
            : ['--port', '0', '--bootstrap', `/ip4/127.0.0.1/tcp/${joinPort}`]
        const child = spawnNode([
          'serve',
          '--json',
          '--until-stdin-ends',
          ...(options.mdns === false ? ['--no-mdns'] : []),
          ...['--name', plan.name, '--data-dir', join(options.dataDir, plan.name)],
          ...plan.models.flatMap(model => ['--model', model]),
          ...network,
        ])
        children.push(child)
        return ready(child, plan.name, {
          ...options,
          onExit: (name, reason) => stopping === undefined && options.onExit?.(name, reason),
        })
      }),
    )
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function spawnNode(args: readonly string[]): ChildProcess {
  const program = fileURLToPath(new URL('../../bin/modelnet.js', import.meta.url))
  return spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
}

/** Resolves with the line in which the node says that it is ready; rejects with what it said when it failed. */
async function ready(child: ChildProcess, name: string, options: LocalNetworkOptions): Promise<LocalNode> {
  const start = performance.now()
  let complaint = ''
  let started = false
  child.stderr?.on('data', chunk => {
    complaint = (complaint + String(chunk)).slice(-2000)
  })
  return new Promise((resolve, reject) => {
    child.once('error', cause =>
      reject(new ModelNetError('INTERNAL', `cannot start a node: ${cause.message}`, { cause })),
    )
    child.once('exit', (code, signal) => {
      const reason = complaint.trim() || `ended with ${signal ?? `status ${code}`}`
      if (started) options.onExit?.(name, reason)
      else reject(options.signal?.aborted ? options.signal.reason : nodeFailure(name, reason))
    })
    if (!child.stdout) return reject(new ModelNetError('INTERNAL', 'a node has no output'))
    createInterface({ input: child.stdout }).once('line', line => {
      const parsed = ReadySchema.safeParse(parse(line))
      if (!parsed.success) return reject(nodeFailure(name, `said ${line.slice(0, 200)}`))
      started = true
      const { type: _, ...facts } = parsed.data
      const node = { name, ...facts, pid: child.pid ?? 0, ms: performance.now() - start }
      options.onReady?.(node)
      resolve(node)
    })
  })
}

/** Keeps the code that the process printed (`error PORT_IN_USE: …`), so that a caller can branch on it. */
function nodeFailure(name: string, reason: string): ModelNetError {
  const portInUse = reason.includes('PORT_IN_USE')
  return new ModelNetError(portInUse ? 'PORT_IN_USE' : 'INTERNAL', `the node ${name} did not start: ${reason}`)
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  await exited
  clearTimeout(timer)
}

/** A port that is free now. Another program may take it before the node does; the node then says so. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise<void>(resolve => server.close(() => resolve()))
  if (address === null || typeof address === 'string') throw new ModelNetError('INTERNAL', 'the system gave no port')
  return address.port
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
