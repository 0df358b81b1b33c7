/** Scripts that name their language by themselves; kana before Han, since Japanese has both. */
const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, 'ja'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Cyrillic}/gu, 'ru'],
  [/\p{Script=Arabic}/gu, 'ar'],
  [/\p{Script=Devanagari}/gu, 'hi'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Thai}/gu, 'th'],
]

/** Small words that are frequent in one language and rare in the others. */
const SMALL_WORDS: Readonly<Record<string, string>> = {
  en: 'the is are what which how of and to many does who in that was it for you with do',
  fr: 'le la les des est quelle quel et une un du dans combien pour que qui sont avec au sur',
  de: 'der die das und ist wie was welche viele ein eine den von zu mit nicht wer auf im sind',
  es: 'el la los las es cuál qué cuántos y en una un de del por para con cuántas son está quién',
  it: 'il lo gli è quale quanti e di una un che per con quante sono della chi nel dei come',
  pt: 'o a os as é qual quantos e em uma um do da por para com quantas são não quem',
  nl: 'de het een is wat welke hoeveel en van in zijn met niet wie op er voor dat te hoe',
}

const LANGUAGES_OF = new Map<string, readonly string[]>()
for (const [language, list] of Object.entries(SMALL_WORDS))
  for (const word of list.split(' ')) LANGUAGES_OF.set(word, [...(LANGUAGES_OF.get(word) ?? []), language])

/** The BCP-47 primary language of a text by its script and its small words; English where nothing tells. */
export function detectLanguage(text: string): string {
  const head = text.slice(0, 1000)
  const letters = head.match(/\p{L}/gu)?.length ?? 0
  for (const [script, language] of SCRIPTS) {
    // a Chinese question about English words is still Chinese: a fifth of the letters is enough, kana need less
    const count = head.match(script)?.length ?? 0
    if (count > letters * (language === 'ja' ? 0.1 : 0.2)) return language
  }
  const counts = new Map<string, number>()
  for (const word of head.toLowerCase().match(/\p{L}+/gu) ?? [])
    for (const language of LANGUAGES_OF.get(word) ?? []) counts.set(language, (counts.get(language) ?? 0) + 1)
  let best = 'en'
  for (const [language, count] of counts) if (count > (counts.get(best) ?? 0)) best = language
  return best
}
