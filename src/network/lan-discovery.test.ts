import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../utils/clock.ts'
import { silentLogger } from '../utils/logger.ts'
import { announcement, createLanDiscovery, interfacesOf, type LanDiscovery, readAnnouncement } from './lan-discovery.ts'

const open: LanDiscovery[] = []
afterEach(async () => void (await Promise.all(open.splice(0).map(discovery => discovery.close()))))

const name = '_modelnet._tcp.local'
const address = (nodeId: string): string => `/ip4/127.0.0.1/tcp/4001/p2p/${nodeId}`

function discover(nodeId: string, service: string): Promise<string> {
  return new Promise(resolve => {
    const components = { nodeId, addresses: () => [address(nodeId)], clock: systemClock, logger: silentLogger }
    open.push(createLanDiscovery(components, { service, port: 15353, onFound: found => resolve(found) }))
  })
}

describe('LAN discovery', () => {
  it('lets two nodes of one machine find each other without an address', async () => {
    const found = await Promise.all([
      discover('12D3KooWalice', 'modelnet-test-a'),
      discover('12D3KooWbob', 'modelnet-test-a'),
    ])
    expect(found).toEqual(['12D3KooWbob', '12D3KooWalice'])
  })

  it('speaks only on the interfaces that the node listens on', () => {
    expect(interfacesOf(['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2/ws', '/ip6/::1/tcp/3'])).toEqual(['127.0.0.1'])
  })

  it('reads what it announces', () => {
    expect(readAnnouncement(name, announcement(name, 'n1', [address('n1')]))).toEqual({
      nodeId: 'n1',
      addresses: [address('n1')],
    })
  })

  it.each([
    ['of another service', announcement('_other._tcp.local', 'n1', [address('n1')])],
    ['that announce somebody else', announcement(name, 'n1', [address('n2')])],
    ['without an address', announcement(name, 'n1', [])],
    ['with an address beyond its length', announcement(name, 'n1', [`/ip4/${'1'.repeat(300)}/p2p/n1`])],
  ])('ignores records %s', (_, records) => {
    expect(readAnnouncement(name, records)).toBeUndefined()
  })
})
