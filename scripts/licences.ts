import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/** Name, version and licence text of every package that these files come from. Throws when one does not name its licence. */
export function describeLicences(root: string, files: readonly string[]): string {
  const folders = new Set(files.flatMap(file => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []))
  const packages = [...folders].toSorted().map(folder => describe(join(root, folder)))
  return `The files of this folder contain code of these packages.\n\n${packages.join('\n')}`
}

function describe(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest // npm's
  const texts = readdirSync(folder)
    .filter(file => /^(licen[cs]e|notice|copying)/i.test(file))
    .map(file => readFileSync(join(folder, file), 'utf8').trim())
  if (license === undefined && texts.length === 0) throw new Error(`${name} ${version} does not say its licence`)
  return [`== ${name} ${version} (${license ?? 'see below'})`, '', ...texts, ''].join('\n')
}
