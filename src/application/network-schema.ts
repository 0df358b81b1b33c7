import { z } from 'zod'
import { MAX_GOSSIPED_MEMBERS, MAX_OPERATORS } from '../protocol/index.ts'

/** Who is meant: node ids, and domains in the sense of `network.admission`; `public` is whoever is in none. */
export type Subjects = readonly string[]

/** Operators decide who takes part: a node shows a certificate that one of them has signed. */
interface AdmissionConfig {
  /** Node ids of the operators whose certificates count. */
  readonly operators: readonly string[]
  /** This node's own certificate: a compact JWS once it is read. */
  readonly certificate?: string
  /** Signed lists of certificates that operators have taken back: compact JWS once they are read. @default none */
  readonly revocations?: readonly string[]
  /** False lets nodes without a certificate take part, as domain `public`. @default true */
  readonly required?: boolean
}

export interface NetworkConfig {
  /** Name of a network apart. */
  readonly name?: string
  /** Secret of a private network: 64 hexadecimal digits once it is read. */
  readonly swarmKey?: string
  readonly listen: readonly string[]
  /** Addresses told to others instead of those listened on. */
  readonly announce: readonly string[]
  readonly bootstrap: readonly string[]
  readonly mdns: boolean
  /** Lets nodes that cannot be dialled be reached through this one. */
  readonly relay: boolean
  /** This node cannot be dialled: it is reached through relays, any it meets or those at these addresses. */
  readonly relayed: boolean | readonly string[]
  /** What this node says it belongs to; with a certificate, what that says. */
  readonly domain?: string
  /** Who may be linked to this node. */
  readonly allow?: Subjects
  readonly admission?: AdmissionConfig
  readonly discovery: 'auto' | 'gossip' | 'ads'
  /** Members known in full; a larger network is found through capability ads. */
  readonly gossipedMembers: number
}

/** Who may call what: by default everyone everything. */
export interface PolicyConfig {
  /** Who may use the models of this node and have it start some. */
  readonly serve?: Subjects
  /** Whose models this node uses, so who may see its prompts. */
  readonly ask?: Subjects
}

const label = z.string().min(1).max(64)
export const SubjectsSchema: z.ZodType<string[]> = z.array(z.string().min(1).max(128)).max(64)
const addresses = z.array(z.string().startsWith('/', 'expected a multiaddr such as /ip4/192.0.2.1/tcp/4001'))
const SOURCE = 'Path of a file, or `env:NAME` to read it from the environment.'

export const NetworkSchema: z.ZodType<NetworkConfig> = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'expected up to 32 small letters, digits and hyphens')
    .exactOptional()
    .describe('Name of a network apart: nodes of other names have no protocol in common with it. Not a secret.'),
  swarmKey: z
    .string()
    .min(1)
    .exactOptional()
    .describe(
      `Secret of a private network, without which no handshake succeeds. ${SOURCE} Made by \`modelnet network key\`.`,
    ),
  listen: addresses.default(['/ip4/127.0.0.1/tcp/0']).describe('Multiaddrs to listen on; `…/tcp/0/ws` is a WebSocket.'),
  announce: addresses.default([]).describe('Multiaddrs told to others instead, behind a port forwarding.'),
  bootstrap: addresses.default([]).describe('Multiaddrs of nodes to join through.'),
  mdns: z.boolean().default(true).describe('Find nodes on the local network by multicast DNS.'),
  relay: z.boolean().default(false).describe('Let nodes that cannot be dialled be reached through this one.'),
  relayed: z
    .union([z.boolean(), addresses.min(1)])
    .default(false)
    .describe(
      'This node cannot be dialled: it is reached through relays, any that it meets or those at these multiaddrs.',
    ),
  domain: label
    .exactOptional()
    .describe('The trust boundary it says it is in: device, edge, cloud, partner, public, or any name.'),
  allow: SubjectsSchema.exactOptional().describe('Node ids and domains that may be linked to this node. Default: all.'),
  admission: z
    .strictObject({
      operators: z
        .array(z.string().min(1))
        .min(1)
        .max(MAX_OPERATORS)
        .describe('Ids of the operators whose certificates count.'),
      certificate: z.string().min(1).exactOptional().describe(`The certificate of this node. ${SOURCE}`),
      revocations: z
        .array(z.string().min(1))
        .exactOptional()
        .describe('Files of certificates taken back, made by `modelnet network revoke`. Nodes tell one another.'),
      required: z.boolean().default(true).describe('False: nodes without a certificate take part as domain `public`.'),
    })
    .exactOptional()
    .describe('Take part with nodes an operator has signed for.'),
  discovery: z
    .enum(['auto', 'gossip', 'ads'])
    .default('auto')
    .describe(
      'How models are found: all members are known by gossip, or through capability ads; auto begins with gossip.',
    ),
  gossipedMembers: z
    .int()
    .min(1)
    .max(MAX_GOSSIPED_MEMBERS)
    .default(MAX_GOSSIPED_MEMBERS)
    .describe('With `auto`, a network of more members than this is found through capability ads.'),
})

export const PolicySchema: z.ZodType<PolicyConfig> = z.strictObject({
  serve: SubjectsSchema.exactOptional().describe(
    'Who may use the models of this node: node ids and domains. Default: all.',
  ),
  ask: SubjectsSchema.exactOptional().describe(
    'Whose models this node uses, so who may see its prompts. Default: all.',
  ),
})
