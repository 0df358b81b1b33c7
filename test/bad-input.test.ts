import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, finalAnswer, type NodeProcess, run, startNode, temporaryDirectory } from './support/processes.ts'

let node: NodeProcess
beforeAll(async () => {
  node = await startNode(['--model', 'geography'])
})
afterAll(async () => void (await node.stop()))

const stillAnswers = async (): Promise<void> => {
  const answer = await ask(node.gateway, 'What is the capital of Spain?')
  expect(finalAnswer(answer.choices[0]?.message.content ?? '')).toBe('Madrid')
}

const fileOf = (name: string, content: string | Uint8Array): string => {
  const file = join(temporaryDirectory(), name)
  writeFileSync(file, content)
  return file
}

describe('what a user gets wrong', () => {
  it.each([
    ['a model nobody offers', ['--model', 'nobody'], 'MODEL_NOT_FOUND'],
    ['a name nobody offers beside one that is there', ['--pathway', '(geography|nobody) ! vote'], 'MODEL_NOT_FOUND'],
    ['a pathway that ends too early', ['--pathway', 'geography >'], 'INVALID_PATHWAY'],
  ])('%s: the error names it, and the status is 1', async (_, args, code) => {
    const result = await run(['ask', '--url', node.gateway, ...args, 'What is the capital of Spain?'])
    expect(result).toMatchObject({ code: 1, out: '' })
    expect(result.err).toContain(`error ${code}`)
    await stillAnswers()
  })

  it('an option that does not exist: status 2, and what was meant', async () => {
    const result = await run(['serve', '--modle', 'x'])
    expect(result.code).toBe(2)
    expect(result.err).toContain('--model')
  })

  it('a number that is none: status 2, not a request without it', async () => {
    const result = await run(['ask', '--url', node.gateway, '--temperature', 'warm', 'What is the capital of Spain?'])
    expect(result.code).toBe(2)
    expect(result.err).toContain('expected a number')
  })

  it('no node at the address: what to do about it', async () => {
    const result = await run(['peers', '--url', 'http://127.0.0.1:1'])
    expect(result).toMatchObject({ code: 1 })
    expect(result.err).toMatch(/PEER_UNREACHABLE.*modelnet serve/s)
  })

  it.each([
    ['a file that is no GGUF', () => ['--model', fileOf('a.gguf', 'this is not a model')], 'INVALID_MODEL_FILE'],
    [
      'a GGUF that is cut off',
      () => ['--model', fileOf('b.gguf', new Uint8Array([71, 71, 85, 70, 3, 0, 0, 0]))],
      'INVALID_MODEL_FILE',
    ],
    ['a file that is not there', () => ['--model', '/nowhere/c.gguf'], 'INVALID_MODEL_FILE'],
    ['an unknown shipped model', () => ['--model', 'nobody'], 'INVALID_CONFIG'],
    ['an endpoint where nothing listens', () => ['--model', 'http://127.0.0.1:1/v1#m'], 'ENGINE_FAILED'],
    ['an address that is none', () => ['--listen', 'not-a-multiaddr'], 'INVALID_CONFIG'],
    ['a port that is taken', () => ['--port', new URL(node.gateway).port], 'PORT_IN_USE'],
  ])('%s: the node does not start, and says why', async (_, args, code) => {
    const result = await run(['serve', '--no-mdns', '--port', '0', '--data-dir', temporaryDirectory(), ...args()])
    expect(result.err).toContain(`error ${code}`)
    expect(result.code).toBe(1)
  })

  it('an identity file that others may read: refused', async () => {
    const dataDir = temporaryDirectory()
    writeFileSync(join(dataDir, 'identity.pem'), 'nonsense', { mode: 0o644 })
    const result = await run(['serve', '--no-mdns', '--port', '0', '--data-dir', dataDir])
    expect(result.err).toMatch(/error INVALID_CONFIG.*identity\.pem/)
  })
})

describe('what a stranger sends', () => {
  it('garbage on the peer port does not disturb the node', async () => {
    const port = Number(/\/tcp\/(\d+)/.exec(node.addresses[0] ?? '')?.[1])
    await new Promise<void>(resolve => {
      const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.alloc(100_000, 0xff)))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve())
      socket.setTimeout(3000, () => socket.destroy())
    })
    await stillAnswers()
  })

  it('malformed JSON gets an error in OpenAI’s shape', async () => {
    const response = await fetch(`${node.gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model": "modelnet/auto", "messages": [',
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', code: 'invalid_request' } })
  })
})
