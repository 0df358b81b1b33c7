import { afterAll, expect, it } from 'vitest'
import { getJson } from '../src/application/client.ts'
import { closeConfigured, startConfigured } from './support/configured-nodes.ts'

afterAll(closeConfigured)

it('a command that a gateway refuses says whether a key is missing or wrong, and where to put it', async () => {
  const { gatewayUrl: url = '' } = await startConfigured({ gateway: { keys: ['right'] } })
  const refusal = (key?: string): Promise<unknown> =>
    getJson('/modelnet/peers', { url, ...(key !== undefined && { key }) }).catch(
      error => `${error.code} ${error.message}`,
    )
  expect(await refusal()).toMatch(/^UNAUTHORIZED .* wants a key: .*MODELNET_KEY/)
  expect(await refusal('wrong')).toMatch(/^UNAUTHORIZED .* does not know the key: .*MODELNET_KEY/)
  expect(await refusal('right')).toMatchObject({ nodes: [{ self: true }] })
})
