/** A noncharacter: it has no meaning in text, so it can mark a cut. */
export const CUT = '\uFDD0'

/**
 * Marks a cut inside every control token that a text spells, so that tokenising the pieces one by one never makes a
 * control token out of what a user wrote.
 */
export function cutControls(content: string, controls: readonly string[]): string {
  let pieces = [content.replaceAll(CUT, '')]
  for (let changed = true; changed; ) {
    changed = false
    pieces = pieces.flatMap(piece => {
      const found = controls.map(text => piece.indexOf(text)).filter(index => index >= 0)
      if (found.length === 0) return [piece]
      changed = true
      const at = Math.min(...found) + 1
      return [piece.slice(0, at), piece.slice(at)]
    })
  }
  return pieces.join(CUT)
}
