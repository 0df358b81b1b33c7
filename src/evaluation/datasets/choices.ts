/** A multiple-choice question as text: the options under it, then what to answer. */
export const askChoice = (question: string, choices: readonly string[], instruction: string): string =>
  [question, ...choices.map((choice, index) => `${String.fromCharCode(65 + index)}. ${choice}`), instruction].join('\n')
