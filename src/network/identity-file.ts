import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ModelNetError } from '../utils/errors.ts'
import { createIdentity, type Identity, toPem } from './identity.ts'

/**
 * The identity kept in a file, made on first use: an Ed25519 private key in PEM (PKCS #8), so that `openssl pkey` reads
 * it too, for the owner only (mode 0600). Rejects with INVALID_CONFIG when others may read the file or it is not such
 * a key; it is never repaired or replaced, since the key is the node.
 */
export async function loadIdentity(file: string): Promise<Identity> {
  const text = await readOwn(file)
  if (text !== undefined) return parse(text, file)
  await create(file)
  return parse((await readOwn(file)) ?? '', file)
}

/** The same of a file that must be there: for a key that others trust already. Rejects with NOT_FOUND where it is not. */
export async function readIdentity(file: string): Promise<Identity> {
  const text = await readOwn(file)
  if (text === undefined) throw new ModelNetError('NOT_FOUND', `the key ${file} does not exist`)
  return parse(text, file)
}

const DER_SEED_OFFSET = 16
/** Reading, writing or executing by group and others. */
const OTHERS = 0o077

async function readOwn(file: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(file)
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
      throw new ModelNetError(
        'INVALID_CONFIG',
        `identity ${file} has mode ${(mode & 0o777).toString(8)}, expected 600: run chmod 600 on it if nobody else has read it`,
      )
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof ModelNetError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ModelNetError('INVALID_CONFIG', `identity ${file} cannot be read`, { cause })
  }
}

/** Written whole beside the place and then linked to it, so that of two processes that start at once one wins. */
async function create(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString('hex')}.new`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(draft, toPem(createIdentity()), { mode: 0o600, flag: 'wx' })
    await chmod(draft, 0o600)
    await link(draft, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new ModelNetError('INVALID_CONFIG', `identity ${file} cannot be written`, { cause })
  } finally {
    await rm(draft, { force: true })
  }
}

function parse(pem: string, file: string): Identity {
  const refuse = (cause?: unknown): ModelNetError =>
    new ModelNetError('INVALID_CONFIG', `identity ${file} is not an Ed25519 private key in PEM (PKCS #8)`, { cause })
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw refuse(cause)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw refuse()
  return createIdentity(key.export({ format: 'der', type: 'pkcs8' }).subarray(DER_SEED_OFFSET))
}
