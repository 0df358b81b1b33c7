import { afterEach, describe, expect, it } from 'vitest'
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
