/** What gives a task away in recorded prompts without saying anything of the question. */
const MARKERS: readonly (readonly [RegExp, string])[] = [
  [/^\s*(question|问题)\s*[:：]\s*/i, ''],
  [/\n?\s*(answer|答案)\s*[:：]?\s*$/i, ''],
  [/(^|\n)\s*\(?[A-J][).:．、][^\n]*/g, '$1'],
  [/\n?\s*(answer|答案)\s*[:：]?\s*$/i, ''],
  [/"""|'''/g, ' '],
  [/\n{2,}/g, '\n'],
]

/** A prompt without options, "Question:", "Answer:" and quotes of code: the harder, fairer input for a router. */
export function stripMarkers(text: string): string {
  const stripped = MARKERS.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text).trim()
  return stripped === '' ? text : stripped
}
