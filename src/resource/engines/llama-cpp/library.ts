/** What we use of node-llama-cpp, by name: so that a bundler can leave the rest out. */
export { getLlama, LlamaGrammarEvaluationState, LlamaLogLevel } from 'node-llama-cpp'
