import { expect } from 'vitest'
import { loadConfig } from '../../src/application/config.ts'
import type { ConfigInput } from '../../src/application/config-schema.ts'
import { createNode, type Node } from '../../src/application/node.ts'
import { temporaryDirectory } from './processes.ts'

const nodes: Node[] = []

/** A node as `modelnet serve` makes it, in this process, from a configuration and its environment. */
export async function startConfigured(
  config: ConfigInput,
  env: Readonly<Record<string, string>> = {},
  settings: readonly string[] = [],
): Promise<Node> {
  const overrides = { dataDir: temporaryDirectory(), logLevel: 'silent', ...config } as const
  const { network, gateway } = overrides
  const node = await createNode(
    loadConfig({
      env,
      settings,
      overrides: { ...overrides, network: { mdns: false, ...network }, gateway: { port: 0, ...gateway } },
    }),
  )
  nodes.push(node)
  return node
}

/** Closes all nodes that a test has started. */
export const closeConfigured = async (): Promise<void> =>
  void (await Promise.all(nodes.splice(0).map(node => node.close(0))))

export const addressOf = (node: Node): string => node.addresses[0] ?? ''

const sees = (node: Node, other: Node): boolean => {
  const entry = node.directory.entry(other.id)
  return entry?.state === 'alive' && entry.cards.length === other.models.length
}

/** Resolves when each of these nodes sees each other one with its cards. */
export const linked = (...members: readonly Node[]): Promise<void> =>
  expect
    .poll(() => members.every(node => members.every(other => sees(node, other))), { timeout: 40_000, interval: 50 })
    .toBe(true)
