import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createIdentity,
  createLibp2pNetwork,
  type Libp2pNetwork,
  type Libp2pNetworkOptions,
} from '../src/network/index.ts'
import { systemClock } from '../src/utils/clock.ts'
import { silentLogger } from '../src/utils/logger.ts'
import { addressOf, closeConfigured, linked, startConfigured as start } from './support/configured-nodes.ts'
import { temporaryDirectory } from './support/processes.ts'

afterEach(closeConfigured)

const GEOGRAPHY = { shipped: 'geography' } as const
const CAPITAL = 'What is the capital of France?'

describe('nodes that cannot dial each other', () => {
  it('use each other’s models through a relay that both reach', async () => {
    const relay = await start({ network: { relay: true } })
    const hidden = await start({ models: [GEOGRAPHY], network: { listen: [], relayed: [addressOf(relay)] } })
    const asker = await start({ network: { listen: [], bootstrap: [addressOf(relay)] } })
    await linked(relay, hidden, asker)
    expect(asker.addresses).toEqual([])
    await expect.poll(() => hidden.directory.entry(hidden.id)?.addresses.length).toBeGreaterThan(0)
    expect(hidden.directory.entry(hidden.id)?.addresses.every(address => address.includes('/p2p-circuit'))).toBe(true)

    const { text, members } = await asker.ask(CAPITAL)
    expect(text).toContain('Paris')
    expect(members).toMatchObject([{ node: hidden.id }])
  })

  it('are reached again after the relay was gone', async () => {
    const dataDir = temporaryDirectory()
    const relay = await start({ dataDir, network: { relay: true } })
    const address = addressOf(relay)
    const hidden = await start({ models: [GEOGRAPHY], network: { listen: [], relayed: [address] } })
    const asker = await start({ network: { listen: [], bootstrap: [address] } })
    await linked(hidden, asker)
    await relay.close(0)
    await expect.poll(() => asker.directory.entry(hidden.id)?.state, { timeout: 20_000 }).not.toBe('alive')
    const [, , , , port] = address.split('/')
    await start({ dataDir, network: { relay: true, listen: [`/ip4/127.0.0.1/tcp/${port}`] } })
    await expect.poll(() => asker.directory.entry(hidden.id)?.state, { timeout: 60_000 }).toBe('alive')
    expect((await asker.ask(CAPITAL)).text).toContain('Paris')
  })
})

it('nodes of one network meet over WebSockets where only those are listened on', async () => {
  const one = await start({ models: [GEOGRAPHY], network: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] } })
  const two = await start({ network: { bootstrap: [addressOf(one)] } }, {}, ['network.listen=[]'])
  await linked(one, two)
  expect(addressOf(one)).toContain('/ws/')
  expect((await two.ask(CAPITAL)).text).toContain('Paris')
})

describe('a node of libp2p with several paths to a peer', () => {
  const PROTOCOL = '/modelnet/test/1'
  const networks: Libp2pNetwork[] = []
  afterEach(async () => void (await Promise.all(networks.splice(0).map(network => network.close()))))

  async function startNetwork(options: Libp2pNetworkOptions): Promise<Libp2pNetwork> {
    const components = { identity: createIdentity(), clock: systemClock, logger: silentLogger }
    const network = createLibp2pNetwork(components, options)
    networks.push(network)
    network.handle(PROTOCOL, stream => void stream.close())
    await network.start()
    return network
  }

  it('leaves the relay when the other side can dial it directly', async () => {
    const relay = await startNetwork({ listen: ['/ip4/127.0.0.1/tcp/0'], relay: {} })
    const hidden = await startNetwork({ listen: [], relayed: true })
    await hidden.dial(relay.addresses()[0] ?? '')
    await expect.poll(() => hidden.addresses().length, { timeout: 20_000 }).toBeGreaterThan(0)
    const place = await startNetwork({ listen: ['/ip4/127.0.0.1/tcp/0'] })
    const port = place.addresses()[0]?.split('/')[4]
    await place.close()
    // A name counts as public for libp2p, an address of this machine does not.
    const asker = await startNetwork({
      listen: [`/ip4/127.0.0.1/tcp/${port}`],
      announce: [`/dns4/localhost/tcp/${port}`],
    })
    await asker.dial(hidden.addresses()[0] ?? '')
    await expect
      .poll(() => asker.connections(hidden.nodeId).map(({ relayed }) => relayed), { timeout: 20_000 })
      .toEqual([false])
    await (await asker.open(hidden.nodeId, PROTOCOL)).close()
  })

  it('does not try an address again before others when it did not answer', async () => {
    let attempts = 0
    const deaf = createServer(socket => {
      attempts++
      socket.destroy()
    })
    await new Promise<void>(resolve => deaf.listen(0, '127.0.0.1', resolve))
    const { port } = deaf.address() as AddressInfo // it listens on TCP
    const target = await startNetwork({ listen: ['/ip4/127.0.0.1/tcp/0'] })
    const dialler = await startNetwork({ listen: [] })
    dialler.learn(target.nodeId, [`/ip4/127.0.0.1/tcp/${port}`])
    await expect(dialler.open(target.nodeId, PROTOCOL)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(attempts).toBe(1)
    dialler.learn(target.nodeId, [target.addresses()[0] ?? ''])
    for (let round = 0; round < 3; round++) {
      await (await dialler.open(target.nodeId, PROTOCOL)).close()
      expect(dialler.connections(target.nodeId)).toHaveLength(1)
      await dialler.disconnect(target.nodeId)
    }
    expect(attempts).toBe(1)
    await new Promise(resolve => deaf.close(resolve))
  })
})
