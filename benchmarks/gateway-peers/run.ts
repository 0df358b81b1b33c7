/**
 * What a gateway itself costs for a request: CPU time of its process, beside others before the same OpenAI endpoint that
 * answers at once, in alternating order. Baselines: nginx as a plain reverse proxy, and Portkey's gateway.
 * `npx tsx benchmarks/gateway-peers/run.ts [--rounds 5] [--requests 2000] [--portkey build/start-server.js]`
 * nginx is left out where it is not installed, Portkey where its program is not given (`npm install @portkey-ai/gateway`),
 * and whoever does not answer a form.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { startNode } from '../../test/support/processes.ts'
import { median, writeResult } from '../support.ts'

interface Target {
  readonly name: string
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
  readonly model: string
  readonly pids: () => readonly number[]
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '2000' },
    portkey: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const requests = Number(values.requests)
const CONNECTIONS = 16
const WARM_UP = 500
/** Ticks of /proc/PID/stat in a second. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

const children: ChildProcess[] = []
const folder = mkdtempSync(join(tmpdir(), 'modelnet-gateways-'))
const upstream = await startUpstream()
const targets = [await ours(), ...(await nginx()), ...(await portkey())]

const figures = new Map<string, { cpuUs: number; perSecond: number }[]>()
const leftOut: string[] = []
for (const stream of [false, true]) {
  const able = await warm(targets, stream)
  for (let round = 0; round < rounds; round++) {
    for (const target of round % 2 === 0 ? able : able.toReversed()) {
      const before = cpuMs(target)
      const started = performance.now()
      await load(target, requests, stream)
      const seconds = (performance.now() - started) / 1000
      const key = `${target.name}, ${stream ? 'streamed' : 'whole'}`
      const row = { cpuUs: (1000 * (cpuMs(target) - before)) / requests, perSecond: requests / seconds }
      figures.set(key, [...(figures.get(key) ?? []), row])
    }
  }
}
for (const child of children) child.kill('SIGKILL')

const rows = [...figures].map(([way, all]) => ({
  way,
  cpuUsPerRequest: Math.round(median(all.map(({ cpuUs }) => cpuUs))),
  requestsPerSecond: Math.round(median(all.map(({ perSecond }) => perSecond))),
  rounds: all.map(({ cpuUs }) => Math.round(cpuUs)),
}))
for (const line of leftOut) console.log(`left out, ${line}`)
console.table(rows.map(({ rounds: each, ...row }) => ({ ...row, rounds: each.join(' ') })))
writeResult('gateway-peers', { requests, connections: CONNECTIONS, leftOut, rows })
process.exit(0)

/** Those that answer in this form; the others are named with what they said. */
async function warm(all: readonly Target[], stream: boolean): Promise<readonly Target[]> {
  const able: Target[] = []
  for (const target of all) {
    try {
      await load(target, WARM_UP, stream)
      able.push(target)
    } catch (error) {
      leftOut.push(`${stream ? 'streamed' : 'whole'}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return able
}

async function load(target: Target, count: number, stream: boolean): Promise<void> {
  const pool = new Pool(target.origin, { connections: CONNECTIONS, headersTimeout: 10_000, bodyTimeout: 10_000 })
  const body = JSON.stringify({
    model: target.model,
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    stream,
  })
  const headers = { 'content-type': 'application/json', ...target.headers }
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await pool.request({ path: '/v1/chat/completions', method: 'POST', headers, body })
      const text = await response.body.text()
      if (response.statusCode !== 200 || !text.includes('Paris'))
        throw new Error(`${target.name} answered ${response.statusCode}: ${text.slice(0, 300)}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  await pool.close()
}

/** Milliseconds of CPU that the processes of a target have used so far. */
function cpuMs({ pids }: Target): number {
  let ticks = 0
  for (const pid of pids()) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return (1000 * ticks) / TICKS
}

/** A process and those it started. */
function withChildren({ pid = 0 }: ChildProcess): readonly number[] {
  const found = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).stdout.trim()
  return [pid, ...(found === '' ? [] : found.split('\n').map(Number))]
}

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...env } })
  children.push(child)
  return child
}

async function startUpstream(): Promise<string> {
  const program = fileURLToPath(new URL('upstream.ts', import.meta.url))
  const child = start(process.execPath, ['--import', 'tsx', program])
  const port = await new Promise<string>(resolve =>
    createInterface({ input: child.stdout as never }).once('line', resolve),
  )
  return `http://127.0.0.1:${port}`
}

async function ours(): Promise<Target> {
  const node = await startNode(['--data-dir', join(folder, 'node'), '--model', `${upstream}/v1#fixed`])
  children.push(node.child)
  return { name: 'ModelNet', origin: node.gateway, headers: {}, model: 'fixed', pids: () => withChildren(node.child) }
}

async function nginx(): Promise<readonly Target[]> {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' })
  } catch {
    console.log('nginx is not installed: left out')
    return []
  }
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log /dev/null;
events {}
http { access_log off; upstream up { server ${upstream.replace('http://', '')}; keepalive 32; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }`,
  )
  const master = start('nginx', ['-c', file])
  const origin = `http://127.0.0.1:${port}`
  await answers(origin)
  return [{ name: 'nginx', origin, headers: {}, model: 'fixed', pids: () => withChildren(master) }]
}

async function portkey(): Promise<readonly Target[]> {
  if (values.portkey === undefined) {
    console.log('no --portkey: left out')
    return []
  }
  const port = await freePort()
  const child = start(process.execPath, [values.portkey, `--port=${port}`, '--headless'], { NODE_ENV: 'production' })
  child.stdout?.resume()
  const origin = `http://127.0.0.1:${port}`
  await answers(origin)
  const headers = {
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${upstream}/v1`,
    authorization: 'Bearer none',
  }
  return [{ name: 'Portkey', origin, headers, model: 'fixed', pids: () => withChildren(child) }]
}

/** Resolves when somebody answers there; gives up after half a minute. */
async function answers(origin: string): Promise<void> {
  const end = performance.now() + 30_000
  for (;;) {
    const there = await fetch(origin).then(
      () => true,
      () => false,
    )
    if (there) return
    if (performance.now() > end) throw new Error(`nobody answers at ${origin}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
