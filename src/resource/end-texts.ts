/**
 * True for the texts of the tokens that end an answer or a turn in the usual vocabularies, as llama.cpp knows them: for
 * servers that do not tell which of their tokens these are.
 */
export const isEndText = (text: string): boolean =>
  /^<(\/s|eos|end_of_turn|turn\||\|(end|im_end|eot_id|eot|eom_id|endoftext|end_of_text|return|END_OF_TURN_TOKEN)\|)>?$/.test(
    text,
  )
