import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createIdentity, createLibp2pNetwork } from '../src/network/index.ts'
import { CHANNEL_PROTOCOL, encodeFrame } from '../src/protocol/index.ts'
import { systemClock } from '../src/utils/clock.ts'
import { silentLogger } from '../src/utils/logger.ts'
import {
  addressOf,
  allSee,
  cardOf,
  closeNodes,
  type Node,
  sees,
  startNode,
  startNodes,
  states,
  until,
} from './support/libp2p-nodes.ts'

describe('a network of libp2p nodes', { timeout: 120_000 }, () => {
  afterEach(closeNodes)

  it('forms of 8 nodes that know one address, and takes in a ninth', async () => {
    const members = await startNodes(8)
    await until('8 nodes see one another', members, () => allSee(members), 10_000)
    const ninth = await startNode('ninth', { bootstrap: [...members[3].network.addresses()] })
    await until('all see the ninth', [...members, ninth], () => members.every(node => sees(node, ninth)), 2000)
    await until('the ninth sees all', [...members, ninth], () => members.every(node => sees(ninth, node)), 2000)
    expect(ninth.membership.entries().filter(entry => entry.state === 'alive').length).toBe(9)
    expect(ninth.membership.entry(ninth.identity.nodeId)).toMatchObject({ self: true, rttMs: 0 })
  })

  it('gives no new work to a killed node, and knows it again when it is back', async () => {
    const members = await startNodes(5)
    await until('all see one another', members, () => allSee(members), 10_000)
    const [first, victim] = members
    const others = members.filter(node => node !== victim)
    const address = addressOf(victim)
    await victim.kill()
    await until('the death is seen', others, () => states(others, victim).every(state => state !== 'alive'), 2000)
    const reborn = await startNode('reborn', {
      identity: victim.identity,
      network: { listen: [address] },
      bootstrap: [...first.network.addresses()],
    })
    const seesNewLife = (node: Node): boolean =>
      sees(node, reborn) && node.membership.entry(reborn.identity.nodeId)?.cards[0]?.id === 'reborn'
    await until('it is seen again', [...others, reborn], () => others.every(seesNewLife), 2000)
  })

  it('finds a node again that came back at its old address and knows nobody', async () => {
    const members = await startNodes(3)
    await until('all see one another', members, () => allSee(members), 10_000)
    const victim = members[2]
    const others = members.slice(0, 2)
    const address = addressOf(victim)
    await victim.kill()
    await until('the death is seen', others, () => states(others, victim).every(state => state !== 'alive'), 2000)
    const reborn = await startNode('reborn', { identity: victim.identity, network: { listen: [address] } })
    await until('it is found', [...others, reborn], () => others.every(node => sees(node, reborn)), 5000)
  })

  it('counts a node that says goodbye as left at once, and does not look for it', async () => {
    const members = await startNodes(4)
    await until('all see one another', members, () => allSee(members), 10_000)
    const leaver = members[3]
    const others = members.slice(0, 3)
    const seen: string[] = []
    members[0].membership.onChange(event => seen.push(event.type))
    await leaver.close()
    await until('it has left', others, () => states(others, leaver).every(state => state === 'left'), 1000)
    expect(seen.filter(type => type === 'node-leave').length).toBe(1)
    expect(seen).not.toContain('node-suspect')
  })

  it('tells partners the load, and that a node drains', async () => {
    const members = await startNodes(3)
    await until('all see one another', members, () => allSee(members), 10_000)
    const [first, second, third] = members
    const model = { id: 'node-1', running: 2, queued: 1, slots: 4, tokensPerSecond: 50 }
    second.membership.setStatus({ models: [model] })
    const status = (node: Node) => node.membership.entry(second.identity.nodeId)?.status
    await until('the load is told', members, () => [first, third].every(node => status(node) !== undefined), 1000)
    expect(status(first)).toMatchObject({ draining: false, models: [model] })
    second.membership.drain()
    await until('draining is told', members, () => [first, third].every(node => status(node)?.draining === true), 1000)
    await until(
      'round trips are measured',
      members,
      () => (first.membership.entry(second.identity.nodeId)?.rttMs ?? 0) > 0,
      3000,
    )
  })

  it('spreads changed cards, and forgets the old ones', async () => {
    const members = await startNodes(4)
    await until('all see one another', members, () => allSee(members), 10_000)
    const owner = members[1]
    const names = (node: Node) =>
      node.membership
        .entry(owner.identity.nodeId)
        ?.cards.map(card => card.id)
        .join()
    await owner.membership.announce([cardOf(owner.identity.nodeId, 'new-a'), cardOf(owner.identity.nodeId, 'new-b')])
    await until('the new cards are seen', members, () => members.every(node => names(node) === 'new-a,new-b'), 2000)
    await owner.membership.announce([])
    await until('no cards are seen', members, () => members.every(node => names(node) === ''), 2000)
    await expect(owner.membership.announce([cardOf(members[0].identity.nodeId, 'not-mine')])).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    })
  })

  it('heals after a partition, on both sides of which the nodes go on', async () => {
    const side = new Map<string, number>()
    let cut = false
    const start = async (index: number, bootstrap: string[]): Promise<Node> => {
      const identity = createIdentity()
      const here = index % 2
      side.set(identity.nodeId, here)
      const allow = (peer: string): boolean => !cut || side.get(peer) === here
      return startNode(`node-${index}`, { identity, bootstrap, leaveAfterMs: 1000, network: { allow } })
    }
    const first = await start(0, [])
    const rest = await Promise.all([1, 2, 3, 4, 5].map(index => start(index, [...first.network.addresses()])))
    const members = [first, ...rest]
    await until('6 nodes see one another', members, () => allSee(members), 10_000)
    cut = true
    const other = (node: Node): readonly Node[] =>
      members.filter(each => side.get(each.identity.nodeId) !== side.get(node.identity.nodeId))
    await Promise.all(members.flatMap(node => other(node).map(each => node.network.disconnect(each.identity.nodeId))))
    const apart = () =>
      members.every(
        node => states([node], node).length && other(node).every(each => states([node], each)[0] === 'left'),
      )
    await until('each side counts the other as left', members, apart, 5000)
    expect(
      members.every(node => members.every(each => other(node).includes(each) || node === each || sees(node, each))),
    ).toBe(true)
    cut = false
    await until('all see one another again', members, () => allSee(members), 5000)
  })

  it('lives on among raw sockets and peers that send garbage, and keeps serving', async () => {
    const members = await startNodes(3)
    await until('all see one another', members, () => allSee(members), 10_000)
    const [first] = members
    const port = Number(addressOf(first).split('/')[4])
    for (const bytes of [
      '\0'.repeat(70_000),
      '\x16\x03\x01\x02\x00\x01'.repeat(100),
      '\x13/multistream/1.0.0\n\x03ls\n',
    ]) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.end(bytes)
    }
    const identity = createIdentity()
    const attacker = createLibp2pNetwork({ identity, clock: systemClock, logger: silentLogger })
    await attacker.start()
    const address = addressOf(first)
    const attacks: Uint8Array[] = [
      Uint8Array.of(0xff),
      encodeFrame({ type: 'call-part', call: 7, part: 1 }),
      encodeFrame({ type: 'call-start', call: 1, method: 'member/sync', body: { have: 'all' } }),
      encodeFrame({ type: 'call-start', call: 1, method: 'member/push', body: { records: ['x.y.z', 'a'] } }),
      encodeFrame({ type: 'call-start', call: 1, method: 'member/push', body: { records: new Array(5000).fill('a') } }),
      encodeFrame({ type: 'call-start', call: 1, method: 'member/cards', body: { digests: [] } }),
      encodeFrame({ type: 'call-start', call: 1, method: '__proto__', body: {} }),
      new Uint8Array(100_000).fill(0x9f),
    ]
    for (let round = 0; round < 3; round++) {
      for (const bytes of attacks) {
        try {
          await attacker.dial(address)
          const stream = await attacker.open(first.identity.nodeId, CHANNEL_PROTOCOL)
          await stream.send(bytes)
          await stream.close()
        } catch {
          // it has been shut out, as it may be
        }
      }
    }
    await attacker.close()
    expect(allSee(members)).toBe(true)
    const late = await startNode('late', { bootstrap: [address] })
    await until('a newcomer is served', [...members, late], () => members.every(node => sees(node, late)), 3000)
  })

  it('finds its network again from the peer book, without a bootstrap address', async () => {
    const members = await startNodes(3)
    await until('all see one another', members, () => allSee(members), 10_000)
    const entries = members.map(({ identity, network }) => ({
      peer: identity.nodeId,
      addresses: network.addresses(),
      seenAt: Date.now(),
    }))
    const late = await startNode('late')
    for (const { peer, addresses } of entries) late.membership.discover(peer, addresses)
    await until(
      'it is seen',
      [...members, late],
      () => members.every(node => sees(node, late) && sees(late, node)),
      3000,
    )
  })

  it('goes on trying a bootstrap address at which nobody answers yet', async () => {
    const identity = createIdentity()
    const reserved = await startNode('reserved')
    const address = addressOf(reserved)
    await reserved.close()
    const early = await startNode('early', { bootstrap: [address] })
    await early.membership.ready
    expect(early.membership.entries().length).toBe(1)
    const late = await startNode('late', { identity, network: { listen: [address] } })
    await until('they meet', [early, late], () => allSee([early, late]), 5000)
  })
})
