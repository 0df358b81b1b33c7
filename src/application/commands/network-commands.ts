import type { Command } from 'commander'
import type { Terminal } from '../terminal.ts'

/** `modelnet network …`: what an operator of a private network needs, without a running node. */
export function addNetworkCommands(program: Command, terminal: Terminal): void {
  const network = program.command('network').description('keys and certificates of private networks')
  network
    .command('key')
    .description('make the secret that all nodes of a private network share (network.swarmKey)')
    .option('--out <file>', 'write it there, for its owner only')
    .action(async options => (await import('./network.ts')).makeSwarmKey(options, terminal))
  network
    .command('id')
    .description('the id of a node, which its operator signs for')
    .option('--data-dir <dir>', 'data directory of the node')
    .action(async options => (await import('./network.ts')).showId(options, terminal))
  network
    .command('operator')
    .description("make an operator's key and say its id (network.admission.operators)")
    .requiredOption('--key <file>', "the operator's key; read if it exists")
    .action(async options => (await import('./network.ts')).makeOperator(options, terminal))
  network
    .command('admit')
    .description('sign a node in: the certificate it shows to others (network.admission.certificate)')
    .argument('<node>', 'id of the node')
    .requiredOption('--key <file>', "the operator's key")
    .requiredOption('--domain <name>', 'device, edge, cloud, partner, or any name')
    .option('--days <number>', 'how long it is valid', Number, 365)
    .option('--out <file>', 'write it there, for its owner only')
    .action(async (node: string, options) => (await import('./network.ts')).admitNode(node, options, terminal))
  network
    .command('revoke')
    .description('take the certificates of a node back (network.admission.revocations of any one node)')
    .argument('<node>', 'id of the node')
    .requiredOption('--key <file>', "the operator's key")
    .requiredOption('--list <file>', "the operator's list; added to if it exists")
    .action(async (node: string, options) => (await import('./network.ts')).revokeNode(node, options, terminal))
}
