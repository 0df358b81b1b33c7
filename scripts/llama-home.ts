import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// Part of the program in few files (`bundle.ts`): where node-llama-cpp is installed, whose binaries the program uses.

/** Of the package that was bundled; written in by the bundler. */
declare const LLAMA_VERSION: string

const entry = import.meta.resolve('node-llama-cpp')

/** Folder of the installed package, as a URL that ends with a slash. */
export const home: string = new URL('../', entry).href

const { version } = JSON.parse(readFileSync(new URL('package.json', home), 'utf8')) as { version: string } // npm's
if (version !== LLAMA_VERSION)
  throw new Error(`expected node-llama-cpp ${LLAMA_VERSION}, found ${version} in ${home}: run \`npm run build\``)

/** Imports a package as node-llama-cpp would: not every installer puts its binaries where we could. */
export function importFromThere(name: string): Promise<unknown> {
  return import(pathToFileURL(createRequire(entry).resolve(name)).href)
}
