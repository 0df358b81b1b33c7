import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the tests and the programs they start write to the folder of temporary files goes into one that ends with them. */
export function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'modelnet-tests-'))
  process.env['TMPDIR'] = folder
  // Not at one go: workers that end beside it are waited for by this process.
  return () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}
