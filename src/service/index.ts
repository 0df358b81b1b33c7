/**
 * What is needed and who can do it: task analysis, capability map, matching, routing, failover.
 */
export type { TaskAnalyserOptions, TaskModel } from './analysis/task-analyser.ts'
export { createTaskAnalyser } from './analysis/task-analyser.ts'
export { assign } from './assignment.ts'
export type { CallOutcome, CallRecord } from './call-record.ts'
export { createCallRecord } from './call-record.ts'
export type { Ability, CapabilityMap, Evidence, EvidenceSource } from './capability-map.ts'
export type { CircuitBreakerOptions, CircuitBreakers, CircuitState } from './circuit-breaker.ts'
export { createCircuitBreakers } from './circuit-breaker.ts'
export type { CapabilityMapOptions, CapabilityRecord, EvidenceMap } from './evidence-map.ts'
export { createCapabilityMap, SOURCE_RELIABILITY } from './evidence-map.ts'
export type { FailoverComponents, FailoverOptions, SwitchEvent } from './failover-model.ts'
export { createFailoverModel } from './failover-model.ts'
export type { MatcherComponents, MatcherOptions, Offer } from './matcher.ts'
export { createMatcher } from './matcher.ts'
export type { Candidate, Matcher, ModelReference } from './matching.ts'
export type { Analysis, Budget, Preference, Task, TaskAnalyser } from './task.ts'
