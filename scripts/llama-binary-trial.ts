import { testBindingBinary as tryInAProcess } from '../node_modules/node-llama-cpp/dist/bindings/utils/testBindingBinary.js'

/**
 * Part of the program in few files (`bundle.ts`). node-llama-cpp tries its binary in a process of its own, since a
 * wrong one ends the process, and then takes another binary. Ours runs in a process of its own already, whose end is
 * told as ENGINE_FAILED, and without a GPU there is one binary only: trying it first would take a third of a second.
 */
export const testBindingBinary: typeof tryInAProcess = async (binary, backends, gpu, ...rest) =>
  gpu === false || tryInAProcess(binary, backends, gpu, ...rest)
