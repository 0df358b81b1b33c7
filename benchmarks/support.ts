import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

/** The middle value; of an even number the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Writes `benchmarks/results/<name>.json` with date, commit, command and machine beside the figures. */
export function writeResult(name: string, figures: object): void {
  const directory = new URL('./results/', import.meta.url)
  mkdirSync(directory, { recursive: true })
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    loadAverage: loadavg().map(load => Number(load.toFixed(2))),
  }
  const command = ['npx tsx', ...process.argv.slice(1).map(portable)].join(' ')
  const content = { date: new Date().toISOString().slice(0, 10), commit, command, machine, ...figures }
  writeFileSync(new URL(`${name}.json`, directory), `${JSON.stringify(content, null, 2)}\n`)
}

/** An argument as a reader elsewhere can use it: paths below the repository are relative, others are only named. */
const portable = (part: string): string =>
  part.replace(/^.*\/(?=benchmarks\/)/, '').replace(/^\/.*\/([^/]+)$/, '<path>/$1')
