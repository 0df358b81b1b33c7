/** Below this a model is as fast on one thread. */
export const SMALL_MODEL_BYTES: number = 64 * 1024 * 1024

/**
 * Threads that evaluate one model on a CPU: all cores but one, which feeds them. llama.cpp's threads wait for one another
 * by spinning: four on two cores, the least that the library takes by itself, made a step of 154 million weights 30 times
 * as slow as one (285 instead of 9 ms), and of two every third step took 25 ms. `mathCores` are cores without their second
 * threads, which do not compute faster.
 */
export function threadsFor(bytes: number, cores: { readonly mathCores: number; readonly available: number }): number {
  if (bytes < SMALL_MODEL_BYTES) return 1
  return Math.max(1, Math.min(cores.mathCores, cores.available) - 1)
}
