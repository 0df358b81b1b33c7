import { createConnection } from 'node:net'
import { join } from 'node:path'
import { loadIdentity, verifyCertificate } from '../../network/index.ts'
import { systemClock } from '../../utils/clock.ts'
import type { NodeConfig } from '../config-schema.ts'
import type { Finding } from './doctor.ts'

const CONNECT_MS = 3000
const DAY_S = 24 * 60 * 60
/** A certificate that ends sooner is worth a word. */
const SOON_DAYS = 14

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Something listens at the addresses to join through. Names are resolved, relays are not followed. */
export async function checkBootstrap({ bootstrap, relayed }: NodeConfig['network']): Promise<Finding> {
  const addresses = [...bootstrap, ...(typeof relayed === 'boolean' ? [] : relayed)]
  const places = addresses.flatMap(address => {
    const [, host, port] = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
    return host === undefined ? [] : [{ address, host, port: Number(port) }]
  })
  const results = await Promise.all(places.map(async place => ({ ...place, error: await connectTo(place) })))
  const deaf = results.filter(({ error }) => error !== undefined)
  if (results.length === 0) return { check: 'bootstrap', verdict: 'ok', detail: 'no address to check' }
  if (deaf.length === 0)
    return { check: 'bootstrap', verdict: 'ok', detail: `${results.length} of ${results.length} answer` }
  return {
    check: 'bootstrap',
    verdict: 'warn',
    detail: deaf.map(({ address, error }) => `${address}: ${error}`).join('; '),
    remedy: 'start the node there, or correct network.bootstrap; a firewall may be between',
  }
}

function connectTo({ host, port }: { readonly host: string; readonly port: number }): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = createConnection({ host, port, timeout: CONNECT_MS })
    const done = (error?: string): void => {
      socket.destroy()
      resolve(error)
    }
    socket.once('connect', () => done())
    socket.once('error', error => done(error.message))
    socket.once('timeout', () => done(`no answer within ${CONNECT_MS} ms`))
  })
}

/** The certificate of the configuration admits the node of this data directory, now and for a while. */
export async function checkCertificate({ dataDir, network }: NodeConfig): Promise<Finding> {
  const { certificate, operators = [] } = network.admission ?? {}
  if (certificate === undefined) return { check: 'certificate', verdict: 'ok', detail: 'none is configured' }
  try {
    const { nodeId } = await loadIdentity(join(dataDir, 'identity.pem'))
    const { domain, expiresAt } = await verifyCertificate(certificate, { node: nodeId, operators, clock: systemClock })
    const days = Math.floor((expiresAt - systemClock.now() / 1000) / DAY_S)
    const detail = `domain ${domain}, valid for ${days} more days`
    if (days >= SOON_DAYS) return { check: 'certificate', verdict: 'ok', detail }
    const remedy = 'issue another with `modelnet network admit`, and restart the node with it'
    return { check: 'certificate', verdict: 'warn', detail, remedy }
  } catch (error) {
    const remedy =
      'sign this node in: `modelnet network id` says its id, `modelnet network admit` issues the certificate'
    return { check: 'certificate', verdict: 'fail', detail: textOf(error), remedy }
  }
}
