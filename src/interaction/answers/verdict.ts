/**
 * Reads yes or no, approval or refusal, in the languages models answer in. Negations and surrounding words are
 * understood; what is unclear is an abstention (undefined), never an approval.
 */
export function parseVerdict(text: string): 'yes' | 'no' | undefined {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’`]/gu, "'")
    .replace(/[*_"“”「」]/gu, '')
  if (UNSURE.test(plain)) return undefined
  const announced = plain.match(ANNOUNCED)?.at(-1)
  if (announced !== undefined) {
    const verdict = lean(announced.replace(ANNOUNCER, ' '))
    if (verdict) return verdict
  }
  const whole = lean(plain)
  if (whole) return whole
  // Both were said: the answer is what a yes-or-no question is answered with first.
  const first =
    /^[\s([{]*(yes|no|true|false|approve|reject|accept|correct|incorrect|是|否|不是|对|不对|oui|non|ja|nein|sí|si|да|нет|はい|いいえ)(?=[\s,.;:!)\]}。，]|$)/u.exec(
      plain,
    )
  return first?.[1] ? lean(first[1]) : undefined
}

/** Reads a grade such as `Grade: C`, `(C)`, `C.`, `等级：B`; undefined when none or several are named. */
export function parseGrade<G extends string>(text: string, grades: readonly G[]): G | undefined {
  const plain = text.normalize('NFKC').replace(/[*_"“”]/gu, '')
  const letters = grades.map(grade => grade.replace(/[^\p{L}\p{N}+-]/gu, '')).join('|')
  const find = (pattern: RegExp): G | undefined => {
    const found = new Set([...plain.matchAll(pattern)].map(match => match[1]?.toUpperCase()))
    const [only] = found
    return found.size === 1 ? grades.find(grade => grade.toUpperCase() === only) : undefined
  }
  const alone = find(new RegExp(`^[\\s([{]*(${letters})[\\s)\\]}.!:]*$`, 'giu'))
  if (alone) return alone
  const after = '(?:grade[sd]?|rating|score|mark|verdict|评[分级价]|等级|成绩|级别|note|nota|bewertung)'
  const named = find(
    new RegExp(
      `${after}[^\\p{L}\\p{N}]{0,8}(?:(?:is|of|as|an?|为|是)\\s*[:：]?\\s*)*[(\\[]?(${letters})(?![\\p{L}\\p{N}'])`,
      'giu',
    ),
  )
  if (named) return named
  // An upper-case letter on its own; "A" before a lower-case word is an article.
  return find(
    new RegExp(`(?<![\\p{L}\\p{N}'-])(${letters})(?![\\p{L}\\p{N}'-])(?!\\s+(?!or\\b|and\\b|to\\b)\\p{Ll})`, 'gu'),
  )
}

const ANNOUNCER =
  /(?:verdict|judg(?:e)?ment|decision|conclusion|final answer|answer|判断|结论|裁决)["']?\s*(?:is|:|为|是)\s*/u
const ANNOUNCED = new RegExp(`${ANNOUNCER.source}[^\\n,.;}]{1,60}`, 'gu')

const UNSURE =
  /\b(?:not (?:sure|certain|know|clear)|(?:don't|doesn't|cannot|can't|do not) (?:know|tell|judge|determine|decide|say)|unsure|uncertain|undecided|unclear)\b|不确定|不知道|无法(?:判断|确定)|わかりません|分かりません/u

/** Phrases in which a negative word says something good; counted and removed first. */
const DOUBLE_NEGATIVES: readonly RegExp[] = [
  /\b(?:not|isn't|n't|never|no longer|nothing|hardly)\s+(?:at all |really |actually |be |been |is |seem )?(?:wrong|incorrect|false|bad|unacceptable|inaccurate|reject(?:ed)?|disapprove|mistaken)\b/gu,
  /\b(?:no|without(?: any)?|not any|zero|free of)\s+(?:\w+ )?(?:error|mistake|problem|issue|objection|fault|flaw|reason to reject|correction|changes? (?:are |is )?need)\w*/gu,
  /\b(?:do not|don't|can't|cannot|did not|didn't)\s+(?:see|find|have|detect)\s+(?:any\s+)?(?:error|mistake|problem|issue|objection|fault|flaw)\w*/gu,
  /(?:没有|沒有|无|并无|不存在)(?:任何|明显)?(?:错误|错|问题|异议|瑕疵|毛病)|不错|没错|沒錯/gu,
  /\b(?:aucune?|pas d'|sans)\s*erreurs?\b|\bkeine? fehler\b|\bsin errores\b|\bнет ошибок\b|間違いは?(?:ない|ありません)/gu,
]

const NEGATIVES: readonly RegExp[] = [
  /\b(?:not|isn't|aren't|wasn't|don't|doesn't|didn't|can't|cannot|can not|won't|wouldn't|couldn't|never|hardly|neither|fail(?:s|ed)? to|refuse to|unable to)\s+(?:\w+\s+){0,5}?(?:accept\w*|approv\w*|agree\w*|correct|right|true|satisf\w+|valid|endorse\w*|support\w*|consent\w*|ok(?:ay)?|adequate|sufficient|yes|pass\w*|consistent|entailed|grounded)\b/gu,
  /\b(?:not|isn't|no)\s+(?:very |at all |a )?good\b/gu,
  /\b(?:no|nope|nah|false|incorrect\w*|wrong|reject\w*|disapprov\w*|disagree\w*|unacceptable|unsatisf\w*|invalid|inadequate|insufficient|unsupported|refuse\w*|deny|denied|inaccurate|inconsistent|ungrounded|dissatisf\w*|mistaken|fail(?:s|ed)?)\b/gu,
  /(?:不|未|没有|没|無|无法|難以|难以|并非|不能)(?:能|会|够|予|是|太|够)?(?:认可|接受|同意|通过|正确|赞同|满意|支持|对|行|合格|可以|可)|拒绝|否决|反对|错误|错|否|不是/gu,
  /\b(?:nein|falsch|nicht|abgelehnt|ablehnen|non|faux|incorrecte?|rejet\w*|refus\w*|inexacte?|falso|incorrecto|rechaz\w*|não|errado|нет|неверно|неправильно|не|sbagliato|niet|onjuist|nee|hayır|yanlış)(?![\p{L}])(?:\s+(?:akzept\w*|richtig|korrekt|accept\w*|acept\w*|correct\w*|верно|correto|d'accord))?/gu,
  /(?:いいえ|違い(?:ます|う)|間違い|間違って|不正解|承認(?:しません|できません)|아니요|아니오|틀렸|틀린|거부|لا|خطأ)/gu,
]

const POSITIVES: readonly RegExp[] = [
  /\b(?:yes|yep|yeah|true|correct\w*|right|accept\w*|approv\w*|agree\w*|satisf\w+|valid|endorse\w*|ok|okay|pass(?:es|ed)?|supported|consistent|entailed|grounded|accurate|adequate)\b/gu,
  /认可|接受|同意|通过|正确|赞同|满意|支持|合格|可以|(?<!不)对|(?<!不)是|没问题/gu,
  /(?<![\p{L}])(?:ja|richtig|korrekt|akzeptiert?|oui|vrai|correcte?|exacte?|d'accord|sí|verdadero|correcto|acept\w+|sim|correto|да|верно|правильно|принять|giusto|corretto|juist|evet|doğru)(?![\p{L}])/gu,
  /はい|正しい|正解|承認(?:します|する)?|네|예|맞(?:다|습니다|아요)|옳|نعم|صحيح/gu,
]

/** Yes or no when only one of the two is said. */
function lean(text: string): 'yes' | 'no' | undefined {
  let rest = text
  let good = 0
  const strip = (patterns: readonly RegExp[]): number => {
    let count = 0
    for (const pattern of patterns)
      rest = rest.replace(pattern, () => {
        count++
        return ' ; '
      })
    return count
  }
  good += strip(DOUBLE_NEGATIVES)
  const bad = strip(NEGATIVES)
  good += strip(POSITIVES)
  if (good > 0 === bad > 0) return undefined
  return good > 0 ? 'yes' : 'no'
}
