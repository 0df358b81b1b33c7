import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createIdentity } from '../network/index.ts'
import { loadConfig } from './config.ts'

const KEY = '5a'.repeat(32)
const directory = mkdtempSync(join(tmpdir(), 'modelnet-secrets-'))
const fileWith = (name: string, text: string): string => {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}
const swarmKey = (value: string, env: Readonly<Record<string, string>> = {}): string | undefined =>
  loadConfig({ env, settings: [`network.swarmKey=${JSON.stringify(value)}`] }).network.swarmKey

describe('the secrets of a network', () => {
  it.each([
    ['the value itself', KEY],
    ['a file of one line', fileWith('plain', `${KEY}\n`)],
    ['a file as libp2p writes it', fileWith('swarm.key', `/key/swarm/psk/1.0.0/\n/base16/\n${KEY}\n`)],
    ['the environment', 'env:THE_KEY'],
    ['a file that the environment names', 'env:THE_FILE'],
  ])('are read from %s', (_, value) => {
    expect(swarmKey(value, { THE_KEY: KEY, THE_FILE: join(directory, 'plain') })).toBe(KEY)
  })

  it('are looked for beside the configuration that names them', () => {
    const file = fileWith('modelnet.yaml', 'network: { swarmKey: plain }\n')
    expect(loadConfig({ file, env: {} }).network.swarmKey).toBe(KEY)
  })

  it.each([
    ['/nowhere/swarm.key', 'neither a valid value nor a file'],
    [fileWith('short', 'abc\n'), 'does not hold what is expected'],
    ['env:NOT_SET', 'NOT_SET is not set'],
  ])('in %s are refused', (value, message) => {
    expect(() => swarmKey(value)).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
    expect(() => swarmKey(value)).toThrow(message)
  })

  it('are not repeated in the error for a key that was mistyped', () => {
    expect(() => swarmKey(KEY.slice(1))).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(KEY.slice(1)) }),
    )
  })
})

describe('lists of who may', () => {
  const { nodeId } = createIdentity()
  const operators = { admission: { operators: [nodeId] } }

  it.each([
    ['network.allow', { network: { allow: ['edge'] } }],
    ['policy.serve', { policy: { serve: [nodeId, 'edge'] } }],
    ['policy.ask', { policy: { ask: ['cloud'] } }],
    ['models.1.allow', { models: [{ shipped: 'words' }, { shipped: 'geography', allow: ['partner'] }] }],
  ])('of domains need an operator who signs for them: %s', (field, overrides) => {
    expect(() => loadConfig({ env: {}, overrides })).toThrow(field)
    const { network } = { network: {}, ...overrides }
    expect(loadConfig({ env: {}, overrides: { ...overrides, network: { ...network, ...operators } } })).toMatchObject(
      overrides,
    )
  })

  it('of nodes and of `public` need none', () => {
    const policy = { serve: [nodeId, 'public'], ask: [] }
    expect(loadConfig({ env: {}, overrides: { policy } }).policy).toEqual(policy)
  })
})

describe('a setting', () => {
  it('sets any field and wins over flags, its value read as YAML', () => {
    const { network, name } = loadConfig({
      env: { MODELNET_RELAY: '0', MODELNET_RELAYED: '/ip4/192.0.2.1/tcp/1' },
      overrides: { name: 'flag' },
      settings: ['network.relay=true', 'network.listen=[/ip4/127.0.0.1/tcp/0/ws]', 'name=a=b'],
    })
    expect(network).toMatchObject({
      relay: true,
      relayed: ['/ip4/192.0.2.1/tcp/1'],
      listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    })
    expect(name).toBe('a=b')
  })

  it.each(['network.relay', '=true', 'network.relay=[', 'network.relais=true', 'network.listen=[tcp]'])(
    'is refused when it is %s',
    setting => {
      expect(() => loadConfig({ env: {}, settings: [setting] })).toThrow(
        expect.objectContaining({ code: 'INVALID_CONFIG' }),
      )
    },
  )
})
