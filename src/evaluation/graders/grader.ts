/** What a grader says: `abstained` when no answer can be read from the text, which is counted and shown, never guessed. */
export type Verdict = 'right' | 'wrong' | 'abstained'

export interface Grade {
  readonly verdict: Verdict
  /** What was read from the text as the answer, in canonical form; absent when the verdict is `abstained`. */
  readonly extracted?: string
}

export interface GradeOptions {
  /** Texts of a multiple-choice question's options, A first: an answer that repeats the text of one option is read as its letter. */
  readonly choices?: readonly string[]
}

/** Compares the text a system answered with the expected answer. Pure, and total: no text makes it throw. */
export interface Grader {
  readonly name: string
  /**
   * The canonical form of the answer in a text: two answers agree if and only if their keys are equal, which is also
   * what voting over samples counts. Undefined when no answer can be read.
   */
  key(answer: string, options?: GradeOptions): string | undefined
  /** @throws INVALID_REQUEST when `expected` is not an answer of this kind: a defect of the data set. */
  grade(answer: string, expected: string, options?: GradeOptions): Grade
}
