/**
 * What is needed and who can do it: task analysis, capability map, matching, routing, failover.
 */
export type { Ability, CapabilityMap, Evidence, EvidenceSource } from './capability-map.ts'
export type { Candidate, Matcher, ModelReference } from './matching.ts'
export type { Analysis, Budget, Preference, Task, TaskAnalyser } from './task.ts'
