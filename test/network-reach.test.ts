import { afterEach, describe, expect, it } from 'vitest'
import { addressOf, allSee, closeNodes, type Node, sees, startNode, startNodes, until } from './support/libp2p-nodes.ts'

describe('nodes that cannot all dial each other', { timeout: 120_000 }, () => {
  afterEach(closeNodes)

  it('work together through a relay that both can reach', async () => {
    const relay = await startNode('relay', { network: { relay: {} } })
    const bootstrap = [...relay.network.addresses()]
    const open = await startNode('open', { bootstrap })
    const hidden = await startNode('hidden', { bootstrap, network: { listen: [], relayed: true } })
    const members = [relay, open, hidden]
    await until('all see one another', members, () => allSee(members), 10_000)
    expect(hidden.network.addresses().every(address => address.includes('/p2p-circuit/'))).toBe(true)
    hidden.links.serve({
      async *echo(body) {
        yield body
      },
    })
    const channel = await open.links.channel(hidden.identity.nodeId)
    const parts: unknown[] = []
    for await (const part of channel.call('echo', 'through the relay').parts) parts.push(part)
    expect(parts).toEqual(['through the relay'])
  })

  it('of a private network share a secret that strangers lack', async () => {
    const swarmKey = '5a'.repeat(32)
    const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
    const members = await startNodes(3, { network: { swarmKey, listen } })
    await until('the members see one another', members, () => allSee(members), 10_000)
    const bootstrap = [...members[0].network.addresses()]
    expect([bootstrap.length, bootstrap.filter(address => address.includes('/ws')).length]).toEqual([2, 1])
    for (const network of [{}, { swarmKey: 'a5'.repeat(32) }]) {
      const stranger = await startNode('stranger', { bootstrap, network })
      // Told at once, by the end of the connection: a handshake that nobody understands would wait for its time-out.
      for (const address of bootstrap) {
        const refusal = await stranger.network.dial(address).catch(error => error)
        expect(refusal).toMatchObject({ code: 'PEER_UNREACHABLE' })
        expect(refusal.message).not.toMatch(/time|abort/i)
      }
      expect(stranger.membership.entries().length).toBe(1)
    }
    expect(members.map((node: Node) => node.membership.entries().length)).toEqual([3, 3, 3])
    const late = await startNode('late', { bootstrap: bootstrap.slice(1), network: { swarmKey } })
    await until('who knows the secret joins over a WebSocket', [late], () => sees(late, members[2]), 10_000)
    await expect(startNode('wrong', { network: { swarmKey: 'short' } })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })

  it('of networks of different names have no protocol in common', async () => {
    const one = await startNode('one', { network: { networkName: 'one' } })
    const two = await startNode('two', { network: { networkName: 'two' }, bootstrap: [addressOf(one)] })
    await two.membership.ready
    expect(two.membership.entries().length).toBe(1)
    const three = await startNode('three', { network: { networkName: 'one' }, bootstrap: [addressOf(one)] })
    await until('they meet', [one, three], () => sees(one, three) && sees(three, one), 3000)
  })
})
