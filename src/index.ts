/**
 * ModelNet turns AI models into a network: any model joins as a node, and a question put to any node is answered by
 * whichever models, alone or together, answer it best.
 *
 * @example
 * import { createNode, loadConfig } from 'modelnet'
 *
 * const node = await createNode(loadConfig({ overrides: { models: [{ shipped: 'geography' }], gateway: { port: 0 } } }))
 * const { text } = await node.ask('What is the capital of France?')
 * await node.close()
 */
export type {
  ConfigInput,
  ConfigSources,
  ModelConfig,
  Node,
  NodeAskOptions,
  NodeConfig,
  NodeOptions,
} from './application/index.ts'
export { createNode, loadConfig } from './application/index.ts'
export type { ErrorCode } from './utils/errors.ts'
export { ModelNetError } from './utils/errors.ts'
