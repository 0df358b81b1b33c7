import { loadConfig } from '../config.ts'
import type { NodeConfig } from '../config-schema.ts'
import { paint, printable, type Terminal } from '../terminal.ts'
import {
  checkClocks,
  checkDataDirectory,
  checkEngine,
  checkGateway,
  checkGatewayPort,
  checkListenPorts,
  checkModels,
  checkMulticast,
  checkNodeVersion,
} from './doctor-checks.ts'
import { checkBootstrap, checkCertificate } from './doctor-network-checks.ts'

/** What one check found. `fail` is what keeps a node from working, `warn` what makes it work less well. */
export interface Finding {
  readonly check: string
  readonly verdict: 'ok' | 'warn' | 'fail'
  readonly detail: string
  /** What to do about it. */
  readonly remedy?: string
}

export interface DoctorOptions {
  readonly url: string
  readonly key?: string
  readonly config?: string
  readonly json?: boolean
}

/** `modelnet doctor`: checks this machine and a running node, line by line; exit status 1 when a check fails. */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<void> {
  const findings = await examine(options)
  if (options.json) terminal.out(`${JSON.stringify({ findings }, null, 2)}\n`)
  else for (const finding of findings) terminal.out(toLine(finding, terminal))
  if (findings.some(({ verdict }) => verdict === 'fail')) process.exitCode = 1
}

async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  let config: NodeConfig
  try {
    config = loadConfig({ ...(options.config !== undefined && { file: options.config }) })
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return [checkNodeVersion(process.versions.node), { check: 'configuration', verdict: 'fail', detail }]
  }
  const client = { url: options.url, ...(options.key !== undefined && { key: options.key }) }
  const gateway = await checkGateway(client)
  const isRunning = gateway.verdict === 'ok'
  return [
    checkNodeVersion(process.versions.node),
    { check: 'configuration', verdict: 'ok', detail: options.config ?? 'defaults and environment' },
    await checkEngine(),
    await checkModels(),
    await checkDataDirectory(config.dataDir),
    await checkCertificate(config),
    await checkBootstrap(config.network),
    // The port of a running node is taken by that node.
    ...(isRunning ? [] : [await checkGatewayPort(config.gateway)]),
    await checkListenPorts(config.network.listen, isRunning),
    ...(config.network.mdns ? [await checkMulticast(config.network.listen)] : []),
    gateway,
    ...(isRunning ? [await checkClocks(client)] : []),
  ]
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function toLine({ check, verdict, detail, remedy }: Finding, terminal: Terminal): string {
  const line = `${paint(terminal, STYLES[verdict], verdict.padEnd(4))}  ${check}: ${printable(detail)}\n`
  return remedy === undefined ? line : `${line}      ${printable(remedy)}\n`
}
