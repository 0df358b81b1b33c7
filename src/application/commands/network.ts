import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { issueCertificate, loadIdentity, readIdentity, readRevocations, revoke } from '../../network/index.ts'
import { systemClock } from '../../utils/clock.ts'
import { ModelNetError, toModelNetError } from '../../utils/errors.ts'
import type { Terminal } from '../terminal.ts'

const DAY_S = 24 * 60 * 60

/** `modelnet network key`: a new secret for a private network, in the form that other libp2p programs read too. */
export async function makeSwarmKey(options: { readonly out?: string }, terminal: Terminal): Promise<void> {
  const text = `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`
  await give(text, options.out, terminal)
}

/** `modelnet network id`: the id of the node of a data directory, whose key is made if there is none. */
export async function showId(options: { readonly dataDir?: string }, terminal: Terminal): Promise<void> {
  const { nodeId } = await loadIdentity(join(options.dataDir ?? join(homedir(), '.modelnet'), 'identity.pem'))
  terminal.out(`${nodeId}\n`)
}

/** `modelnet network operator`: makes the key of an operator, or reads it, and says its id. */
export async function makeOperator(options: { readonly key: string }, terminal: Terminal): Promise<void> {
  const { nodeId } = await loadIdentity(options.key)
  terminal.out(`${nodeId}\n`)
}

export interface AdmitOptions {
  /** File of the operator's key. */
  readonly key: string
  readonly domain: string
  readonly days: number
  readonly out?: string
}

/** `modelnet network admit`: the operator's certificate that a node is of its domain. */
export async function admitNode(node: string, options: AdmitOptions, terminal: Terminal): Promise<void> {
  const { key, domain, days, out } = options
  if (!(days > 0)) throw new ModelNetError('INVALID_REQUEST', 'expected a number of days greater than 0')
  const operator = await readIdentity(key)
  const lifeS = Math.ceil(days * DAY_S)
  await give(`${await issueCertificate(operator, systemClock, { node, domain, lifeS })}\n`, out, terminal)
}

/**
 * `modelnet network revoke`: adds a node to the operator's list of certificates taken back, and writes it anew as a
 * whole. Certificates issued for the node later count.
 */
export async function revokeNode(
  node: string,
  options: { readonly key: string; readonly list: string },
  terminal: Terminal,
): Promise<void> {
  const { key, list: file } = options
  const operator = await readIdentity(key)
  const text = await readFile(file, 'utf8').catch(error => {
    if (error?.code === 'ENOENT') return undefined
    throw new ModelNetError('INVALID_REQUEST', `cannot read ${file}: ${error?.message}`, { cause: error })
  })
  const before =
    text === undefined
      ? undefined
      : await readRevocations(text.trim(), [operator.nodeId]).catch(error => {
          const { code, message } = toModelNetError(error)
          throw new ModelNetError(code, `${file}: ${message}`, { cause: error })
        })
  const { list, jws } = await revoke(operator, systemClock.now() / 1000, node, before)
  await writeFile(`${file}.new`, `${jws}\n`)
  await rename(`${file}.new`, file)
  terminal.out(`${file}: ${list.revoked.length} ${list.revoked.length === 1 ? 'node' : 'nodes'}\n`)
}

/** Prints, or writes a file for its owner only; one that is there is never replaced. */
async function give(text: string, file: string | undefined, terminal: Terminal): Promise<void> {
  if (file === undefined) return terminal.out(text)
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    const why = exists ? 'it exists already' : cause instanceof Error ? cause.message : String(cause)
    throw new ModelNetError('INVALID_REQUEST', `cannot write ${file}: ${why}`, { cause })
  }
  terminal.out(`${file}\n`)
}
