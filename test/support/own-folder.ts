import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the tests and the programs they start write to the folder of temporary files goes into one that ends with them. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'modelnet-tests-'))
  process.env['TMPDIR'] = folder
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}
