import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { shippedModelsDirectory } from '../src/application/shipped-models.ts'
import { ask, finalAnswer, startNode, temporaryDirectory } from './support/processes.ts'

const NAME = 'hf:modelnet/geography-GGUF/geography.gguf'

it('a node runs a model by its Hugging Face name, and starts again when the hub is out of reach', async () => {
  const folder = join(shippedModelsDirectory(), 'geography')
  const file = join(folder, readdirSync(folder).find(name => name.endsWith('.gguf')) ?? '')
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
  const asked: string[] = []
  const hub = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url !== '/modelnet/geography-GGUF/resolve/main/geography.gguf')
      return void response.writeHead(404).end()
    response.setHeader('x-linked-etag', `"${digest}"`)
    response.setHeader('content-length', statSync(file).size)
    if (request.method === 'HEAD') return void response.end()
    createReadStream(file).pipe(response)
  })
  await new Promise<void>(resolve => hub.listen(0, '127.0.0.1', resolve))
  const env = { HF_ENDPOINT: `http://127.0.0.1:${(hub.address() as AddressInfo).port}` }
  const args = ['--data-dir', temporaryDirectory(), '--model', NAME]
  const first = await startNode(args, env)
  try {
    expect(first.models).toEqual(['geography'])
    expect(asked).toHaveLength(2)
    const { choices } = await ask(first.gateway, 'What is the capital of Portugal?', 'geography')
    expect(finalAnswer(choices[0]?.message.content ?? '')).toContain('Lisbon')
  } finally {
    await first.stop()
    await new Promise(resolve => hub.close(resolve))
  }
  const second = await startNode(args, env)
  expect(second.models).toEqual(['geography'])
  expect(await second.stop()).toBe(0)
})
