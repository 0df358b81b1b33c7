import type { Llama } from 'node-llama-cpp'
import { ModelNetError } from '../../../utils/errors.ts'

/** Loads llama.cpp, on a CPU or on what GPU has its binary installed. Rejects with ENGINE_FAILED. */
export async function startLlama(gpu: 'auto' | false): Promise<Llama> {
  try {
    // Loaded on first use: nodes without such models do not pay for it.
    const { getLlama, LlamaLogLevel } = await import('./library.ts')
    return await getLlama({ gpu, build: 'never', logLevel: LlamaLogLevel.error, progressLogs: false })
  } catch (cause) {
    throw new ModelNetError(
      'ENGINE_FAILED',
      `llama.cpp has no binary for this machine: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}
