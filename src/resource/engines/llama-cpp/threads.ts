/** Below this a model is as fast on one thread. */
export const SMALL_MODEL_BYTES: number = 64 * 1024 * 1024

/**
 * Threads that evaluate one model on a CPU. llama.cpp's threads wait for one another by spinning: one more than there are
 * cores made a step of 154 million weights 30 times as slow (285 instead of 9 ms on two cores), and the library itself
 * takes at least four. `mathCores` are cores without their second threads, which do not compute faster.
 */
export function threadsFor(bytes: number, cores: { readonly mathCores: number; readonly available: number }): number {
  if (bytes < SMALL_MODEL_BYTES) return 1
  return Math.max(1, Math.min(cores.mathCores, cores.available))
}
