/**
 * One interface to all of it: a node, its gateway, its command line.
 */
export type { ConfigSources } from './config.ts'
export { loadConfig } from './config.ts'
export type { ConfigInput, ModelConfig, NodeConfig } from './config-schema.ts'
export type { Node, NodeAskOptions, NodeOptions } from './node.ts'
export { createNode } from './node.ts'
