/**
 * Resolves at the first Ctrl-C or SIGTERM, and aborts a signal; a second one ends the process at once. With `stdin`
 * also when standard input ends: a process that another one started does not outlive it.
 */
export function untilStopped(options: { readonly stdin?: boolean } = {}): {
  readonly promise: Promise<void>
  readonly signal: AbortSignal
} {
  const controller = new AbortController()
  const promise = new Promise<void>(resolve => {
    let asked = false
    const stop = (): void => {
      if (asked) process.exit(130)
      asked = true
      controller.abort()
      resolve()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    if (options.stdin) process.stdin.resume().once('close', stop)
  })
  return { promise, signal: controller.signal }
}
