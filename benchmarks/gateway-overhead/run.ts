/**
 * What a local call through the gateway costs over calling the engine directly: the same question to the same model,
 * in turns, over (a) the engine in its worker process, (b) the coordinator, (c) HTTP, whole and streamed.
 * `npx tsx benchmarks/gateway-overhead/run.ts [rounds]`
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { shippedModel } from '../../src/application/shipped-models.ts'
import { createNode, loadConfig } from '../../src/index.ts'
import { createWorkerEngine } from '../../src/resource/index.ts'
import { median, writeResult } from '../support.ts'

const rounds = Number(process.argv[2] ?? 200)
const WARM_UP = 20
const question = 'What is the capital of France?'
const messages = [{ role: 'user' as const, content: question }]

const engine = createWorkerEngine()
const direct = await engine.load(shippedModel('geography').spec, { node: 'bench' })
const dataDir = mkdtempSync(join(tmpdir(), 'modelnet-bench-'))
const node = await createNode(
  loadConfig({
    overrides: { dataDir, network: { mdns: false }, gateway: { port: 0 }, models: [{ shipped: 'geography' }] },
  }),
)

const post = async (stream: boolean): Promise<void> => {
  const response = await fetch(`${node.gatewayUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'modelnet/geography', messages, stream }),
  })
  await response.text()
}
const ways: Readonly<Record<string, () => Promise<void>>> = {
  engine: async () => {
    for await (const _ of direct.generate({ messages }));
  },
  coordinator: async () => void (await node.ask(question, { pathway: 'modelnet/geography' })),
  http: () => post(false),
  'http, streamed': () => post(true),
}

const times = new Map(Object.keys(ways).map(name => [name, [] as number[]]))
for (let round = -WARM_UP; round < rounds; round++) {
  const order = round % 2 === 0 ? Object.entries(ways) : Object.entries(ways).toReversed()
  for (const [name, call] of order) {
    const start = performance.now()
    await call()
    if (round >= 0) times.get(name)?.push(performance.now() - start)
  }
}
await node.close()
await direct.close()
await engine.close()

const baseline = median(times.get('engine') ?? [])
const rows = [...times].map(([way, values]) => ({
  way,
  medianMs: median(values),
  minMs: Math.min(...values),
  overEngineMs: median(values) - baseline,
}))
for (const row of rows)
  console.log(
    `${row.way.padEnd(16)} median ${row.medianMs.toFixed(2)} ms  min ${row.minMs.toFixed(2)} ms  over the engine ${row.overEngineMs.toFixed(2)} ms`,
  )
writeResult('gateway-overhead', { question, rounds, rows })
process.exit(0)
