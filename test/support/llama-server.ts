import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

/** Path of a llama-server binary, where one is to be tested against. */
export const LLAMA_SERVER: string | undefined = process.env['MODELNET_LLAMA_SERVER']

/** A real llama-server on a free port of this machine. */
export async function startLlamaServer(
  file: string,
  alias = 'model',
): Promise<{ readonly url: string; close(): Promise<void> }> {
  if (!LLAMA_SERVER) throw new Error('MODELNET_LLAMA_SERVER names no binary')
  const port = await freePort()
  const options = ['--host', '127.0.0.1', '--port', String(port), '-np', '2', '-c', '512', '-t', '1', '--alias', alias]
  const server = spawn(LLAMA_SERVER, ['-m', file, ...options], { stdio: 'ignore' })
  const ended = new Promise(resolve => server.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 300; attempt++) {
    const ok = await fetch(`${url}/health`).then(
      response => response.ok,
      () => false,
    )
    if (ok) break
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return {
    url,
    async close() {
      server.kill()
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
