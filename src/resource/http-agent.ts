/** Imported with the first request to a model server: a node without such models does not pay for the library. */
export { Agent } from 'undici'
