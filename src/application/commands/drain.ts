import { type ClientOptions, getJson, postJson } from '../client.ts'
import type { Terminal } from '../terminal.ts'

const CHECK_MS = 100

/** `modelnet drain`: a node leaves in good order. Waits until its gateway is gone, at most `timeoutMs`. */
export async function drain(
  options: ClientOptions & { readonly json?: boolean; readonly timeoutMs?: number },
  terminal: Terminal,
): Promise<void> {
  const { timeoutMs = 30_000, json } = options
  await postJson('/modelnet/drain', {}, options)
  const end = Date.now() + timeoutMs
  let left = false
  while (!left && Date.now() < end) {
    left = await getJson('/healthz', options).then(
      () => false,
      () => true,
    )
    if (!left) await new Promise(resolve => setTimeout(resolve, CHECK_MS))
  }
  if (json) return terminal.out(`${JSON.stringify({ draining: true, left })}\n`)
  terminal.out(left ? `${options.url} has left\n` : `${options.url} is leaving; work is still running there\n`)
}
