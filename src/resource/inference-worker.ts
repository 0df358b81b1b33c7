import { startLlama } from './engines/llama-cpp/start-llama.ts'
import type { InferenceProcessOptions } from './inference-process.ts'

// The entry of the inference process. The node decides when it ends: a Ctrl-C reaches both, and the death of the node
// closes the pipe.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit(0))

// Our own parent wrote the argument.
const options = JSON.parse(process.argv[2] ?? '{}') as InferenceProcessOptions

// llama.cpp's library tries its binary in a process of its own: a third of a second in which ours can be loaded.
const llama = startLlama(options.gpu ?? false)
llama.catch(() => undefined) // told to whoever loads a model
await import('./engines/llama-cpp/library.ts').catch(() => undefined)
const { serveInference } = await import('./inference-service.ts')
serveInference(options, llama)
