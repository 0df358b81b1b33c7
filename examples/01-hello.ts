/**
 * A network of one node: a shipped model answers a question.
 * Run: npx tsx examples/01-hello.ts
 * Prints: Paris
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, loadConfig } from '../src/index.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'modelnet-example-'))
const node = await createNode(
  loadConfig({
    overrides: { dataDir, network: { mdns: false }, gateway: { port: 0 }, models: [{ shipped: 'geography' }] },
  }),
)
const { text } = await node.ask('What is the capital of France?')
console.log(text)
await node.close()
