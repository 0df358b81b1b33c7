/** Text without what identifies people or opens doors, and the way back. */
export interface Redacted {
  readonly text: string
  /** What each placeholder stands for. Stays on this node. */
  readonly secrets: ReadonlyMap<string, string>
}

/** Kinds of secrets a policy takes out; `default` is all of them. */
export const REDACTION_POLICIES: Readonly<Record<string, readonly string[]>> = {
  default: ['EMAIL', 'KEY', 'CARD', 'IBAN', 'ID', 'IP', 'PHONE'],
  contact: ['EMAIL', 'PHONE', 'IP'],
  secrets: ['KEY', 'CARD', 'IBAN'],
}

/**
 * Replaces what can be recognised by its form with typed placeholders, the same one for the same text
 * (collaboration-methods F5). What identifies by meaning (a story, a rare job) cannot be found this way.
 */
export function redact(text: string, policy: string, known: Map<string, string> = new Map()): Redacted {
  const kinds = new Set(REDACTION_POLICIES[policy])
  const byText = new Map([...known].map(([placeholder, secret]) => [secret, placeholder]))
  let result = text
  for (const { kind, pattern, isReal } of DETECTORS) {
    if (!kinds.has(kind)) continue
    result = result.replace(pattern, found => {
      if (isReal && !isReal(found)) return found
      const placeholder = byText.get(found) ?? `<${kind}_${countOf(known, kind) + 1}>`
      byText.set(found, placeholder)
      known.set(placeholder, found)
      return placeholder
    })
  }
  return { text: result, secrets: known }
}

/** Puts the secrets back. Spellings of a placeholder that models make (`[EMAIL_1]`, `EMAIL_1`) are understood. */
export function restore(text: string, secrets: ReadonlyMap<string, string>): string {
  return text.replace(
    /[<[({]?\b([A-Z]{2,6}_\d{1,4})\b[>\])}]?/gu,
    (whole, name: string) => secrets.get(`<${name}>`) ?? whole,
  )
}

const countOf = (known: ReadonlyMap<string, string>, kind: string): number =>
  [...known.keys()].filter(placeholder => placeholder.startsWith(`<${kind}_`)).length

interface Detector {
  readonly kind: string
  readonly pattern: RegExp
  /** A checksum or range, where the form alone says too little. */
  readonly isReal?: (found: string) => boolean
}

const DETECTORS: readonly Detector[] = [
  {
    kind: 'EMAIL',
    pattern:
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,8}\.\p{L}{2,24}/gu,
  },
  {
    kind: 'KEY',
    pattern:
      /\b(?:sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs]|hf)[-_][A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/gu,
  },
  { kind: 'IBAN', pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/gu, isReal: isIban },
  { kind: 'CARD', pattern: /\b\d(?:[ -]?\d){12,18}\b/gu, isReal: isLuhn },
  {
    kind: 'ID',
    pattern: /\b[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]\b/gu,
    isReal: isChineseId,
  },
  { kind: 'ID', pattern: /\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b/gu },
  { kind: 'IP', pattern: /\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b/gu },
  {
    kind: 'PHONE',
    pattern:
      /(?<![\w.])\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,4}){2,4}(?![\w])|(?<![\w.])1[3-9]\d{9}(?!\w)|(?<![\w.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)/gu,
  },
]

function isLuhn(found: string): boolean {
  const digits = [...found.replace(/\D/gu, '')].reverse().map(Number)
  const sum = digits.reduce(
    (total, digit, index) => total + (index % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)),
    0,
  )
  return sum % 10 === 0
}

function isIban(found: string): boolean {
  const text = found.replace(/ /gu, '')
  const moved = text.slice(4) + text.slice(0, 4)
  const digits = moved.replace(/[A-Z]/gu, letter => String(letter.charCodeAt(0) - 55))
  return text.length >= 15 && [...digits].reduce((rest, digit) => (rest * 10 + Number(digit)) % 97, 0) === 1
}

/** GB 11643: the last character is a check digit modulo 11. */
function isChineseId(found: string): boolean {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const sum = weights.reduce((total, weight, index) => total + weight * Number(found[index]), 0)
  return '10X98765432'[sum % 11] === found.at(-1)?.toUpperCase()
}
