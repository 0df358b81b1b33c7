import { z } from 'zod'
import { type ClientOptions, getJson } from '../client.ts'
import { duration, paint, printable, shortId, type Terminal } from '../terminal.ts'

/** A node as the gateway lists it. */
interface Peer {
  readonly node: string
  readonly state: string
  readonly self: boolean
  readonly draining: boolean
  readonly models: readonly string[]
  readonly domain?: string | undefined
  /** Milliseconds there and back. */
  readonly rttMs?: number | undefined
  readonly running: number
  readonly queued: number
}

const PeersSchema = z.object({
  self: z.string(),
  nodes: z.array(
    z.looseObject({
      node: z.string(),
      state: z.string(),
      self: z.boolean(),
      draining: z.boolean().default(false),
      models: z.array(z.string()),
      domain: z.string().optional(),
      rttMs: z.number().optional(),
      running: z.number(),
      queued: z.number(),
    }),
  ),
})

/** The network as one node sees it: its domains, their nodes nearest first, and the models there. */
export interface Topology {
  readonly self: string
  readonly domains: readonly { readonly domain: string; readonly nodes: readonly Peer[] }[]
}

/** What nodes belong to that name no domain. */
const NO_DOMAIN = 'no domain'

/** `modelnet topology`: a drawing of domains, nodes, distances and models, seen from one node. */
export async function showTopology(
  options: ClientOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const topology = toTopology(await getJson('/modelnet/peers', options))
  terminal.out(options.json ? `${JSON.stringify(topology, null, 2)}\n` : drawTopology(topology, terminal))
}

/** Groups what `/modelnet/peers` answers: own domain first, then by name; nodes by distance. */
export function toTopology(body: unknown): Topology {
  const { self, nodes } = PeersSchema.parse(body)
  const domainOf = (node: Peer): string => node.domain ?? NO_DOMAIN
  const own = nodes.find(node => node.self)
  const names = [...new Set(nodes.map(domainOf))].toSorted(
    (a, b) => Number(b === (own && domainOf(own))) - Number(a === (own && domainOf(own))) || a.localeCompare(b),
  )
  const distance = (node: Peer): number => (node.self ? -1 : (node.rttMs ?? Number.POSITIVE_INFINITY))
  return {
    self,
    domains: names.map(domain => ({
      domain,
      nodes: nodes
        .filter(node => domainOf(node) === domain)
        .toSorted((a, b) => distance(a) - distance(b) || a.node.localeCompare(b.node)),
    })),
  }
}

export function drawTopology({ domains }: Topology, terminal: Terminal): string {
  const lines = domains.flatMap(({ domain, nodes }) => [
    paint(terminal, 'bold', printable(domain)),
    ...nodes.flatMap((node, index) => {
      const isLast = index === nodes.length - 1
      const models = node.models.map(model => `${isLast ? ' ' : '│'}     ${printable(model)}`)
      return [`${isLast ? '└' : '├'}── ${describe(node)}`, ...models]
    }),
  ])
  return `${lines.join('\n')}\n`
}

function describe(node: Peer): string {
  const state = node.self ? 'this node' : node.draining ? 'leaving' : node.state
  const distance = node.self || node.rttMs === undefined ? '' : ` · ${duration(node.rttMs)}`
  const load = node.running + node.queued > 0 ? ` · ${node.running} running, ${node.queued} queued` : ''
  return `${shortId(node.node)} · ${state}${distance}${load}`
}
