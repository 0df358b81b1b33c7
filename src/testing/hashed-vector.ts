/** A vector by the letters of a text, for embeddings without weights: equal texts are equal, others are not. */
export function hashedVector(text: string): readonly number[] {
  const vector = new Array<number>(16).fill(0.01)
  let state = 7
  for (const character of text) {
    state = (state * 31 + (character.codePointAt(0) ?? 0)) % 65_521
    const place = state % vector.length
    vector[place] = (vector[place] ?? 0) + 1
  }
  return vector
}
