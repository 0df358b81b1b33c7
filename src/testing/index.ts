/**
 * The test kit that ships with the product: models that say what they are told to, and the suites every implementation
 * of a contract runs.
 */
export type { HashedTokenModel, HashedTokenModelOptions } from './hashed-token-model.ts'
export { createHashedTokenModel } from './hashed-token-model.ts'
export type { LanguageModelSubject, LanguageModelSuiteOptions, SuiteCase } from './language-model-suite.ts'
export { collect, languageModelSuite, textOf } from './language-model-suite.ts'
export type { ManualClock } from './manual-clock.ts'
export { createManualClock, settle } from './manual-clock.ts'
export type { NetworkSuiteOptions } from './network-suite.ts'
export { networkSuite } from './network-suite.ts'
export type { ScriptedModel, ScriptedModelOptions } from './scripted-model.ts'
export { createScriptedCard, createScriptedModel } from './scripted-model.ts'
export type { ScriptedSession, ScriptedSessionOptions } from './scripted-session.ts'
export { createScriptedSession } from './scripted-session.ts'
export type { TinyModelOptions } from './tiny-model.ts'
export { createTinyModel, writeTinyModel } from './tiny-model.ts'
