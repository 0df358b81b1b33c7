import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, constants, mkdir, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { createLanDiscovery } from '../../network/index.ts'
import { createLlamaCppEngine } from '../../resource/index.ts'
import { systemClock } from '../../utils/clock.ts'
import { silentLogger } from '../../utils/logger.ts'
import { type ClientOptions, getJson } from '../client.ts'
import type { NodeConfig } from '../config-schema.ts'
import { type ShippedModel, shippedModels } from '../shipped-models.ts'
import type { Finding } from './doctor.ts'

const ok = (check: string, detail: string): Finding => ({ check, verdict: 'ok', detail })
const warn = (check: string, detail: string, remedy: string): Finding => ({ check, verdict: 'warn', detail, remedy })
const fail = (check: string, detail: string, remedy: string): Finding => ({ check, verdict: 'fail', detail, remedy })
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** As `engines` of package.json. */
const LEAST_NODE = [20, 19] as const

export function checkNodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  return isEnough
    ? ok('node', version)
    : fail('node', `${version} is too old`, `install Node ${LEAST_NODE.join('.')} or newer`)
}

/** The engine's native part loads and runs the smallest shipped model, where there is one. */
export async function checkEngine(models: readonly ShippedModel[] = shippedModels()): Promise<Finding> {
  const remedy = 'reinstall: `npm ci`; on a platform without a prebuilt binary serve models by URL instead'
  try {
    const engine = createLlamaCppEngine({ gpu: false })
    try {
      const [first] = models
      if (!first) return warn('engine', 'the engine loads, but there is no shipped model to try', 'reinstall ModelNet')
      const model = await engine.load(first.spec, { node: 'doctor' })
      await model.close()
      return ok('engine', `llama.cpp loads ${first.name}`)
    } finally {
      await engine.close?.()
    }
  } catch (error) {
    return fail('engine', textOf(error), remedy)
  }
}

/** Every shipped model's file has the digest that its card names. */
export async function checkModels(models: readonly ShippedModel[] = shippedModels()): Promise<Finding> {
  if (models.length === 0) return warn('models', 'no shipped model is there', 'reinstall ModelNet, or serve your own')
  const wrong: string[] = []
  for (const { name, spec } of models) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(spec.file ?? ''), hash).catch(() => undefined)
    if (`sha256:${hash.digest('hex')}` !== spec.digest) wrong.push(name)
  }
  return wrong.length === 0
    ? ok('models', `${models.length} shipped models are intact`)
    : fail('models', `not as shipped: ${wrong.join(', ')}`, 'reinstall ModelNet')
}

/** The directory can be written, and nobody else can read the key in it. */
export async function checkDataDirectory(directory: string): Promise<Finding> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    return fail('data directory', textOf(error), `make ${directory} writable, or choose another with --data-dir`)
  }
  const key = join(directory, 'identity.pem')
  const mode = await stat(key).then(
    found => found.mode & 0o077,
    () => 0,
  )
  return mode === 0 || process.platform === 'win32'
    ? ok('data directory', directory)
    : fail('data directory', `others can read ${key}`, `chmod 600 ${key}`)
}

export async function checkGatewayPort({ host, port }: NodeConfig['gateway']): Promise<Finding> {
  const error = await tryListen(host, port)
  return error === undefined
    ? ok('gateway port', `${host}:${port} is free`)
    : fail('gateway port', error, 'choose another with --port, or 0 for a free one')
}

/** TCP ports of the addresses to listen on, unless a running node has them. */
export async function checkListenPorts(addresses: readonly string[], isRunning: boolean): Promise<Finding> {
  const taken: string[] = []
  for (const address of addresses) {
    const [, host, port] = /^\/ip[46]\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
    if (host === undefined || port === undefined || port === '0') continue
    const error = await tryListen(host, Number(port))
    if (error !== undefined) taken.push(`${address}: ${error}`)
  }
  if (taken.length === 0) return ok('peer ports', addresses.join(' '))
  return isRunning
    ? ok('peer ports', 'in use, by the running node it seems')
    : fail('peer ports', taken.join('; '), 'name other addresses with --listen')
}

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve(error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

const MULTICAST_MS = 1500

/** Two announcers on the same interfaces hear each other; under a service name of their own, so no node hears them. */
export async function checkMulticast(listen: readonly string[]): Promise<Finding> {
  const remedy = 'name a node with --bootstrap ADDRESS; nodes will not find each other by themselves here'
  const service = `doctor-${process.pid}`
  let hear: (heard: boolean) => void = () => undefined
  const heard = new Promise<boolean>(resolve => {
    hear = resolve
  })
  const announce = (nodeId: string, onFound: () => void) =>
    createLanDiscovery(
      {
        nodeId,
        addresses: () => listen.map(address => `${address}/p2p/${nodeId}`),
        clock: systemClock,
        logger: silentLogger,
      },
      { service, onFound },
    )
  const timer = setTimeout(() => hear(false), MULTICAST_MS)
  try {
    const both = [announce('doctorA', () => hear(true)), announce('doctorB', () => hear(true))]
    const works = await heard
    await Promise.all(both.map(each => each.close()))
    return works ? ok('multicast', 'nodes on this network find each other') : warn('multicast', 'not heard', remedy)
  } catch (error) {
    return warn('multicast', textOf(error), remedy)
  } finally {
    clearTimeout(timer)
  }
}

export async function checkGateway(client: ClientOptions): Promise<Finding> {
  try {
    const health = z.looseObject({ nodes: z.number() }).parse(await getJson('/healthz', client))
    return ok('gateway', `${client.url} answers and knows ${health.nodes} nodes`)
  } catch (error) {
    return warn('gateway', textOf(error), 'start a node with `modelnet start`, or name one with --url')
  }
}

const SKEW_WARN_MS = 60_000
const ClocksSchema = z.looseObject({
  nodes: z.array(z.looseObject({ state: z.string(), self: z.boolean(), statusAgeMs: z.number().optional() })),
})

/** Documents are refused when clocks differ by more than five minutes; a minute is worth a word. */
export async function checkClocks(client: ClientOptions): Promise<Finding> {
  try {
    const { nodes } = ClocksSchema.parse(await getJson('/modelnet/peers', client))
    const known = nodes.filter(
      ({ self, state, statusAgeMs }) => !self && state === 'alive' && statusAgeMs !== undefined,
    )
    const worst = Math.max(0, ...known.map(({ statusAgeMs = 0 }) => Math.abs(statusAgeMs)))
    if (known.length === 0) return ok('clock', 'no peer to compare with')
    return worst < SKEW_WARN_MS
      ? ok('clock', `within ${(worst / 1000).toFixed(1)} s of ${known.length} peers`)
      : warn(
          'clock',
          `${Math.round(worst / 1000)} s apart from a peer`,
          'synchronise the clocks, for instance with NTP',
        )
  } catch (error) {
    return warn('clock', textOf(error), 'ask with the key of the gateway in MODELNET_KEY')
  }
}
