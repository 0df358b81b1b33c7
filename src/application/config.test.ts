import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'

const fileWith = (text: string): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'modelnet-config-')), 'modelnet.yaml')
  writeFileSync(file, text)
  return file
}

describe('loadConfig', () => {
  it('listens on this machine only when nothing is said', () => {
    const config = loadConfig({ env: {} })
    expect(config.gateway.host).toBe('127.0.0.1')
    expect(config.network.listen).toEqual(['/ip4/127.0.0.1/tcp/0'])
  })

  it('lets flags win over the environment and the environment over the file', () => {
    const file = fileWith('name: from-file\ngateway: { port: 1, host: 127.0.0.2 }\nlogLevel: info\n')
    const config = loadConfig({
      file,
      env: { MODELNET_PORT: '2', MODELNET_NAME: 'from-env' },
      overrides: { name: 'from-flag' },
    })
    expect(config).toMatchObject({ name: 'from-flag', logLevel: 'info', gateway: { port: 2, host: '127.0.0.2' } })
  })

  it('reads keys from the environment, so that no file holds them', () => {
    const file = fileWith('models:\n  - { url: "http://127.0.0.1:1/v1", key: "env:MY_KEY" }\n')
    expect(loadConfig({ file, env: { MY_KEY: 'secret' } }).models[0]?.key).toBe('secret')
    expect(() => loadConfig({ file, env: {} })).toThrow(/MY_KEY is not set/)
  })

  it('resolves model files against the file that names them', () => {
    const file = fileWith('models:\n  - file: a.gguf\n')
    expect(loadConfig({ file, env: {} }).models[0]?.file).toBe(join(file, '..', 'a.gguf'))
  })

  it.each([
    ['an unknown field', 'gatway: {}', /gatway/],
    ['a port that is none', 'gateway: { port: 99999 }', /gateway\.port/],
    ['a model from two places', 'models: [{ file: a.gguf, url: "http://127.0.0.1/v1" }]', /exactly one/],
    ['a tag that is none', 'models: [{ file: a.gguf, tags: ["Not A Tag"] }]', /models\.0\.tags\.0.*skill:arithmetic/],
    ['text that is not YAML', 'a: [', /cannot read/],
  ])('refuses %s and says what was expected', (_, text, message) => {
    expect(() => loadConfig({ file: fileWith(text), env: {} })).toThrow(message)
  })

  it('names a configuration file that is not there', () => {
    expect(() => loadConfig({ file: '/nowhere/modelnet.yaml', env: {} })).toThrow(/\/nowhere\/modelnet\.yaml/)
  })
})
