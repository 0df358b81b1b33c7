import { splitWords } from '../analysis/text-features.ts'

/** What a text looks like, whatever it is about: long or short, figures, formulas, options, capitals. */
const FORM_SIZE = 14

/** Characters that are looked at: the form of a long prompt shows at its beginning. */
const HEAD = 6000
const OPTION = /(?:^|\n)\s*\(?[A-J][).:．、][^\n]*/g

/** Raw measures of a text's form; comparable with one another only after `scaleForm`. */
export function measureForm(text: string): Float32Array {
  const head = text.slice(0, HEAD)
  const words = splitWords(head, 300)
  const options = head.match(OPTION) ?? []
  const listed = options.reduce((sum, option) => sum + option.length, 0)
  const length = Math.max(1, head.length)
  let [digits, formula, capitals, questions, gaps, lines] = [0, 0, 0, 0, 0, 1]
  for (let at = 0; at < head.length; at++) {
    const code = head.charCodeAt(at)
    if (code >= 48 && code <= 57) digits++
    else if (code >= 65 && code <= 90) capitals++
    else if (code === 63 || code === 0xff1f) questions++
    else if (code === 10) lines++
    else if (code === 95 && head.charCodeAt(at + 1) === 95) gaps = 1
    if (FORMULA.includes(head[at] ?? ' ')) formula++
  }
  const operators = words.reduce((sum, word) => sum + (OPERATORS.includes(word) ? 1 : 0), 0)
  const letters = words.reduce((sum, word) => sum + word.length, 0)
  const count = Math.max(1, words.length)
  return Float32Array.of(
    Math.log1p(text.length),
    Math.log1p(head.length - listed),
    Math.log1p(listed / Math.max(1, options.length)),
    options.length,
    digits / length,
    Math.log1p(digits),
    formula / length,
    operators / count,
    Math.log1p(questions),
    capitals / length,
    letters / count,
    new Set(words).size / count,
    gaps,
    Math.log1p(lines),
  )
}

const FORMULA = '$\\^_={}'
const OPERATORS = '+-*/=<>%'

/** Means and deviations of the measures over the training questions. */
export interface FormScale {
  readonly means: readonly number[]
  readonly deviations: readonly number[]
}

export function fitFormScale(forms: readonly Float32Array[]): FormScale {
  const over = (value: (form: Float32Array, at: number) => number): readonly number[] =>
    Array.from({ length: FORM_SIZE }, (_, at) => forms.reduce((sum, form) => sum + value(form, at), 0) / forms.length)
  const means = over((form, at) => form[at] ?? 0)
  const squares = over((form, at) => ((form[at] ?? 0) - (means[at] ?? 0)) ** 2)
  return { means, deviations: squares.map(square => Math.sqrt(square)) }
}

/** Measures in deviations from the mean, at most 4, together of length about 1; what never varied counts nothing. */
export function scaleForm(form: Float32Array, { means, deviations }: FormScale): Float32Array {
  return form.map((value, at) => {
    const deviation = deviations[at] ?? 0
    if (deviation < 1e-9) return 0
    return Math.min(4, Math.max(-4, (value - (means[at] ?? 0)) / deviation)) / Math.sqrt(FORM_SIZE)
  })
}
