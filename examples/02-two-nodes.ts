/**
 * Two nodes: the second joins through the address of the first, and each answers with the model of the other.
 * Run: npx tsx examples/02-two-nodes.ts
 * Prints: Tokyo
 * Prints: Fe
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, loadConfig, type Node } from '../src/index.ts'

const start = (shipped: string, bootstrap: string[] = []): Promise<Node> =>
  createNode(
    loadConfig({
      overrides: {
        dataDir: mkdtempSync(join(tmpdir(), 'modelnet-example-')),
        network: { mdns: false, bootstrap },
        gateway: { port: 0 },
        models: [{ shipped }],
      },
    }),
  )

const geography = await start('geography')
const elements = await start('elements', [geography.addresses[0] ?? ''])
const joined = (node: Node): boolean => node.directory.entries().filter(entry => entry.cards.length > 0).length === 2
while (!joined(geography) || !joined(elements)) await new Promise(resolve => setTimeout(resolve, 20))

console.log((await elements.ask('What is the capital of Japan?')).text)
console.log((await geography.ask('What is the symbol of iron?')).text)
await Promise.all([geography.close(), elements.close()])
