/**
 * How long a person waits: from `modelnet start` to a whole network and to the first answer, and from starting one more
 * node by hand beside it, once it has answered its questions and rests, to the first answer that the network gets from it.
 * `npm run build && npx tsx benchmarks/start-up/run.ts [rounds]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { program, startNode } from '../../test/support/processes.ts'
import { median, writeResult } from '../support.ts'

const rounds = Number(process.argv[2] ?? 5)
/** Asked of the new node by name. */
const QUESTION = 'What is the capital of France?'
/** Without a word of the network: what it asks itself at the start is over. */
const REST_MS = 10_000
const dataDir = mkdtempSync(join(tmpdir(), 'modelnet-start-'))

interface Started {
  readonly child: ChildProcess
  readonly gateway: string
  readonly bootstrap: string
  /** Milliseconds from the command. */
  readonly joinedMs: number
  readonly answeredMs: number
  readonly rests: Promise<void>
}

const rows: { joinedMs: number; answeredMs: number; handMs: number }[] = []
for (let round = 0; round < rounds; round++) {
  const network = await startNetwork()
  await network.rests
  const handMs = await startByHand(network)
  network.child.kill('SIGINT')
  await new Promise(resolve => network.child.once('exit', resolve))
  rows.push({ joinedMs: Math.round(network.joinedMs), answeredMs: Math.round(network.answeredMs), handMs })
  console.log(rows.at(-1))
}
const summary = {
  joinedMs: median(rows.map(({ joinedMs }) => joinedMs)),
  answeredMs: median(rows.map(({ answeredMs }) => answeredMs)),
  handMs: median(rows.map(({ handMs }) => handMs)),
}
console.log('median', summary)
writeResult('start-up', { nodes: 6, rounds: rows, median: summary })
process.exit(0)

function startNetwork(): Promise<Started> {
  const begin = performance.now()
  const args = ['start', '--json', '--port', '0', '--data-dir', dataDir, '--no-mdns']
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the network ended with ${code}`)))
    let [bootstrap, gateway, joinedMs] = ['', '', 0]
    let rested: () => void = () => undefined
    const rests = new Promise<void>(done => {
      rested = done
    })
    const rest = setTimeout(rested, REST_MS)
    createInterface({ input: child.stdout }).on('line', line => {
      rest.refresh()
      const event = JSON.parse(line) as { type: string; addresses?: string[]; gateway?: string } // our own lines
      if (event.type === 'node') bootstrap ||= event.addresses?.[0] ?? ''
      if (event.type === 'joined') [gateway, joinedMs] = [event.gateway ?? '', performance.now() - begin]
      if (event.type === 'answer')
        resolve({ child, gateway, bootstrap, joinedMs, answeredMs: performance.now() - begin, rests })
    })
  })
}

/** Milliseconds from the command until another node has an answer of the new one. */
async function startByHand({ gateway, bootstrap }: Started): Promise<number> {
  const begin = performance.now()
  const node = await startNode(['--model', 'geography', '--bootstrap', bootstrap])
  for (;;) {
    const response = await fetch(`${gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: `modelnet/geography@${node.node}`,
        messages: [{ role: 'user', content: QUESTION }],
      }),
    })
    const text = await response.text()
    if (response.ok && text.includes('Paris')) break
    if (performance.now() - begin > 30_000) throw new Error(`still no answer of the new node: ${text}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  const ms = Math.round(performance.now() - begin)
  await node.stop()
  return ms
}
