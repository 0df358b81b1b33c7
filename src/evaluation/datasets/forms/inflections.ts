/** Nouns and verbs of `training/tables`, of this project: irregular ones with their form, regular ones alone. */
const NOUN_TABLE = `
man/men woman/women child/children foot/feet tooth/teeth goose/geese mouse/mice ox/oxen person/people sheep/sheep
deer/deer fish/fish louse/lice leaf/leaves knife/knives wife/wives life/lives wolf/wolves half/halves shelf/shelves
loaf/loaves thief/thieves calf/calves elf/elves scarf/scarves potato/potatoes tomato/tomatoes hero/heroes echo/echoes
cactus/cacti crisis/crises analysis/analyses basis/bases oasis/oases thesis/theses criterion/criteria
phenomenon/phenomena fungus/fungi nucleus/nuclei radius/radii quiz/quizzes
cat dog house car tree book pen table chair window door flower garden river mountain city country baby lady story party
family berry cherry fly spy army enemy penny puppy pony body copy duty hobby jury lily memory ruby sky bus box fox class
glass dress boss kiss cross grass pass dish wish brush bush flash crash church bench beach branch match watch witch lunch
peach inch coach sandwich tax fax boy toy day key monkey donkey turkey valley chimney tray way play ray essay delay
apple orange banana grape lemon melon pear plum carrot onion pepper bean egg cake cookie candle cup plate fork spoon
bottle basket bag hat coat shirt shoe sock glove ring clock lamp bed pillow blanket roof wall floor garage kitchen
bird horse cow pig hen duck rabbit tiger lion bear elephant giraffe zebra snake frog spider ant bee whale shark turtle
teacher student doctor nurse farmer baker driver singer dancer writer painter king queen prince soldier pilot sailor
school hospital hotel shop market bank bridge road street train plane boat ship truck wheel engine ticket map
letter word sentence page number color song picture photo camera computer phone radio guitar piano violin drum
hour minute second week month year morning evening night summer winter spring holiday birthday game ball team player
stone rock hill lake island forest field desert star moon planet cloud storm wave fire flame shadow dream idea
brother sister mother father uncle aunt cousin friend neighbor guest crowd group language question answer problem
`
/** A plus sign marks a last letter that is doubled. */
const VERB_TABLE = `
go/went come/came see/saw eat/ate drink/drank run/ran swim/swam sing/sang ring/rang begin/began give/gave take/took
make/made have/had say/said get/got know/knew think/thought find/found tell/told become/became leave/left feel/felt
bring/brought keep/kept hold/held write/wrote stand/stood hear/heard mean/meant meet/met pay/paid sit/sat speak/spoke
lead/led grow/grew lose/lost fall/fell send/sent build/built understand/understood draw/drew break/broke spend/spent
drive/drove buy/bought wear/wore choose/chose catch/caught teach/taught fight/fought seek/sought sell/sold sleep/slept
sweep/swept weep/wept win/won throw/threw fly/flew blow/blew ride/rode rise/rose shake/shook steal/stole forget/forgot
forgive/forgave hide/hid bite/bit freeze/froze wake/woke tear/tore swear/swore shoot/shot dig/dug hang/hung stick/stuck
strike/struck feed/fed lend/lent bend/bent put/put cut/cut let/let set/set hit/hit hurt/hurt cost/cost shut/shut
do/did be/was lie/lay shine/shone sink/sank stink/stank spring/sprang swing/swung
stop+ plan+ drop+ shop+ grab+ hug+ jog+ clap+ chat+ slip+ trip+ rub+ rob+ beg+ nod+ trap+ wrap+ snap+ step+ skip+ admit+
prefer+ occur+ refer+ permit+ regret+
walk talk jump play work look call ask help need start want open close like love live move hope dance smile bake taste
use arrive change decide notice share save invite agree carry cry try study hurry marry worry copy reply apply fry
dry empty enjoy stay pray obey destroy show follow allow answer listen visit offer order wonder remember gather happen
clean cook paint plant point wait wash watch touch reach match finish push rush wish fix mix miss pass dress
kiss press guess cross explain rain train learn turn burn return join count end add land sound repeat shout print
lift rest test trust insist collect protect accept expect respect attack check kick lock pack pick thank bark
`

const isVowel = (letter = ''): boolean => 'aeiouAEIOU'.includes(letter)

function plural(noun: string): string {
  if (/(?:s|x|ch|sh|z)$/u.test(noun)) return `${noun}es`
  return noun.endsWith('y') && !isVowel(noun.at(-2)) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}

function past(verb: string): string {
  if (verb.endsWith('+')) return `${verb.slice(0, -1)}${verb.at(-2)}ed`
  if (verb.endsWith('e')) return `${verb}d`
  return verb.endsWith('y') && !isVowel(verb.at(-2)) ? `${verb.slice(0, -1)}ied` : `${verb}ed`
}

const forms = (table: string, rule: (word: string) => string): ReadonlyMap<string, string> =>
  new Map(
    table
      .trim()
      .split(/\s+/u)
      .map(entry => {
        const [base = '', form = rule(base)] = entry.split('/')
        return [base.replace('+', ''), form] as const
      }),
  )

export const PLURALS: ReadonlyMap<string, string> = forms(NOUN_TABLE, plural)
export const PAST_TENSES: ReadonlyMap<string, string> = forms(VERB_TABLE, past)
