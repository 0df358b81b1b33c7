/** The gateway port of `modelnet serve` and `modelnet start`, and where the other commands look for it. */
export const DEFAULT_PORT = 8747
