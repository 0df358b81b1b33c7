import { z } from 'zod'
import { type ClientOptions, getJson } from '../client.ts'
import { duration, paint, printable, shortId, type Terminal, table } from '../terminal.ts'

const ModelsSchema = z.object({
  data: z.array(
    z.looseObject({
      id: z.string(),
      modelnet: z
        .looseObject({
          nodes: z.array(z.string()),
          tags: z.array(z.string()),
          capabilities: z.array(z.string()),
          contextLength: z.number(),
        })
        .optional(),
    }),
  ),
})

const PeersSchema = z.object({
  self: z.string(),
  nodes: z.array(
    z.looseObject({
      node: z.string(),
      state: z.string(),
      self: z.boolean(),
      models: z.array(z.string()),
      addresses: z.array(z.string()),
      rttMs: z.number().optional(),
      domain: z.string().optional(),
      draining: z.boolean().optional(),
      running: z.number(),
      queued: z.number(),
    }),
  ),
})

/** `modelnet models`: every model of the network, with its nodes, tags and abilities. */
export async function listModels(
  options: ClientOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const body = await getJson('/v1/models', options)
  if (options.json) return terminal.out(`${JSON.stringify(body, null, 2)}\n`)
  const rows = ModelsSchema.parse(body).data.flatMap(({ id, modelnet }) =>
    modelnet
      ? [
          [
            printable(id),
            modelnet.nodes.map(shortId).join(' '),
            modelnet.tags.join(' '),
            modelnet.capabilities.join(' '),
            String(modelnet.contextLength),
          ],
        ]
      : [],
  )
  if (rows.length === 0) return terminal.out('no model yet; add one with `modelnet serve --model NAME`\n')
  terminal.out(table(terminal, [['model', 'nodes', 'tags', 'can', 'context'], ...rows]))
}

/** `modelnet peers`: every node this node knows, with state, load and distance. */
export async function listPeers(
  options: ClientOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const body = await getJson('/modelnet/peers', options)
  if (options.json) return terminal.out(`${JSON.stringify(body, null, 2)}\n`)
  const { nodes } = PeersSchema.parse(body)
  const withDomains = nodes.some(({ domain }) => domain !== undefined)
  const rows = nodes.map(node => [
    shortId(node.node),
    node.draining && node.state === 'alive' ? 'draining' : node.self ? 'this node' : node.state,
    ...(withDomains ? [printable(node.domain ?? '-')] : []),
    // what a node that has left said last is no delay and no load of now
    node.rttMs === undefined || node.state === 'left' ? '-' : duration(node.rttMs),
    node.state === 'left' ? '-' : `${node.running}+${node.queued}`,
    node.models.map(printable).join(' ') || '-',
    printable(node.addresses[0] ?? '-'),
  ])
  terminal.out(
    table(terminal, [
      ['node', 'state', ...(withDomains ? ['domain'] : []), 'rtt', 'running+queued', 'models', 'address'],
      ...rows,
    ]),
  )
  if (nodes.length === 1)
    terminal.out(
      paint(
        terminal,
        'dim',
        'this node is alone; join another with --bootstrap ADDRESS, or start one that names this address\n',
      ),
    )
}
