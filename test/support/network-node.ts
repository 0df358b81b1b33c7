/**
 * One node of the network layer as a process of its own: tells where it is, and then every change of its directory, as
 * JSON lines. Arguments: name, then bootstrap addresses. `NODE_IDENTITY` names the file of its key.
 */
import { loadIdentity } from '../../src/network/index.ts'
import { startNode } from './libp2p-nodes.ts'

const [name = 'node', ...bootstrap] = process.argv.slice(2)
// Whoever started this process and reads its lines has gone: so does it.
process.stdout.on('error', () => process.exit(1))
const print = (message: object): void => console.log(JSON.stringify(message))

const file = process.env['NODE_IDENTITY']
const node = await startNode(name, { bootstrap, ...(file !== undefined && { identity: await loadIdentity(file) }) })
print({ nodeId: node.identity.nodeId, addresses: node.network.addresses() })

let last = ''
const report = (): void => {
  const peers = node.membership
    .entries()
    .filter(entry => !entry.self)
    .map(({ nodeId, state, cards }) => ({ nodeId, state, cards: cards.map(card => card.id) }))
  if (JSON.stringify(peers) === last) return
  last = JSON.stringify(peers)
  print({ peers })
}
node.membership.onChange(report)
report()
process.once('SIGTERM', () => void node.close())
