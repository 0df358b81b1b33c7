/** What is known of a country; a fact that is disputed is left out. */
export interface Country {
  readonly country: string
  readonly capital?: string
  readonly continent?: string
  readonly currency?: string
  readonly language?: string
  readonly largestCity?: string
}

/** `training/tables/countries.txt`, of this project: the table that the shipped models were taught from. */
const TABLE = `
Afghanistan|Kabul|Asia|afghani|-|Kabul
Albania|Tirana|Europe|lek|Albanian|Tirana
Algeria|Algiers|Africa|dinar|Arabic|Algiers
Andorra|Andorra la Vella|Europe|euro|Catalan|Andorra la Vella
Angola|Luanda|Africa|kwanza|Portuguese|Luanda
Argentina|Buenos Aires|South America|peso|Spanish|Buenos Aires
Armenia|Yerevan|Asia|dram|Armenian|Yerevan
Australia|Canberra|Oceania|dollar|English|Sydney
Austria|Vienna|Europe|euro|German|Vienna
Azerbaijan|Baku|Asia|manat|Azerbaijani|Baku
Bahamas|Nassau|North America|dollar|English|Nassau
Bahrain|Manama|Asia|dinar|Arabic|Manama
Bangladesh|Dhaka|Asia|taka|Bengali|Dhaka
Barbados|Bridgetown|North America|dollar|English|Bridgetown
Belarus|Minsk|Europe|ruble|Russian|Minsk
Belgium|Brussels|Europe|euro|-|-
Belize|Belmopan|North America|dollar|English|Belize City
Benin|Porto Novo|Africa|franc|French|Cotonou
Bhutan|Thimphu|Asia|ngultrum|Dzongkha|Thimphu
Bolivia|Sucre|South America|boliviano|Spanish|Santa Cruz
Bosnia and Herzegovina|Sarajevo|Europe|mark|Bosnian|Sarajevo
Botswana|Gaborone|Africa|pula|English|Gaborone
Brazil|Brasilia|South America|real|Portuguese|Sao Paulo
Brunei|Bandar Seri Begawan|Asia|dollar|Malay|Bandar Seri Begawan
Bulgaria|Sofia|Europe|-|Bulgarian|Sofia
Burkina Faso|Ouagadougou|Africa|franc|-|Ouagadougou
Burundi|Gitega|Africa|franc|Kirundi|Bujumbura
Cambodia|Phnom Penh|Asia|riel|Khmer|Phnom Penh
Cameroon|Yaounde|Africa|franc|French|-
Canada|Ottawa|North America|dollar|English|Toronto
Chad|N'Djamena|Africa|franc|French|N'Djamena
Chile|Santiago|South America|peso|Spanish|Santiago
China|Beijing|Asia|yuan|Chinese|Shanghai
Colombia|Bogota|South America|peso|Spanish|Bogota
Costa Rica|San Jose|North America|colon|Spanish|San Jose
Croatia|Zagreb|Europe|euro|Croatian|Zagreb
Cuba|Havana|North America|peso|Spanish|Havana
Cyprus|Nicosia|-|euro|Greek|Nicosia
Czechia|Prague|Europe|koruna|Czech|Prague
Denmark|Copenhagen|Europe|krone|Danish|Copenhagen
Djibouti|Djibouti|Africa|franc|French|Djibouti
Dominican Republic|Santo Domingo|North America|peso|Spanish|Santo Domingo
Ecuador|Quito|South America|dollar|Spanish|-
Egypt|Cairo|Africa|pound|Arabic|Cairo
El Salvador|San Salvador|North America|dollar|Spanish|San Salvador
Eritrea|Asmara|Africa|nakfa|Tigrinya|Asmara
Estonia|Tallinn|Europe|euro|Estonian|Tallinn
Eswatini|Mbabane|Africa|lilangeni|Swazi|-
Ethiopia|Addis Ababa|Africa|birr|Amharic|Addis Ababa
Fiji|Suva|Oceania|dollar|English|Suva
Finland|Helsinki|Europe|euro|Finnish|Helsinki
France|Paris|Europe|euro|French|Paris
Gabon|Libreville|Africa|franc|French|Libreville
Gambia|Banjul|Africa|dalasi|English|Serekunda
Georgia|Tbilisi|Asia|lari|Georgian|Tbilisi
Germany|Berlin|Europe|euro|German|Berlin
Ghana|Accra|Africa|cedi|English|Accra
Greece|Athens|Europe|euro|Greek|Athens
Guatemala|Guatemala City|North America|quetzal|Spanish|Guatemala City
Guinea|Conakry|Africa|franc|French|Conakry
Guyana|Georgetown|South America|dollar|English|Georgetown
Haiti|Port au Prince|North America|gourde|Haitian Creole|Port au Prince
Honduras|Tegucigalpa|North America|lempira|Spanish|Tegucigalpa
Hungary|Budapest|Europe|forint|Hungarian|Budapest
Iceland|Reykjavik|Europe|krona|Icelandic|Reykjavik
India|New Delhi|Asia|rupee|Hindi|-
Indonesia|Jakarta|Asia|rupiah|Indonesian|Jakarta
Iran|Tehran|Asia|rial|Persian|Tehran
Iraq|Baghdad|Asia|dinar|Arabic|Baghdad
Ireland|Dublin|Europe|euro|English|Dublin
Israel|-|Asia|shekel|Hebrew|-
Italy|Rome|Europe|euro|Italian|Rome
Ivory Coast|Yamoussoukro|Africa|franc|French|Abidjan
Jamaica|Kingston|North America|dollar|English|Kingston
Japan|Tokyo|Asia|yen|Japanese|Tokyo
Jordan|Amman|Asia|dinar|Arabic|Amman
Kazakhstan|Astana|Asia|tenge|Kazakh|Almaty
Kenya|Nairobi|Africa|shilling|Swahili|Nairobi
Kuwait|Kuwait City|Asia|dinar|Arabic|Kuwait City
Kyrgyzstan|Bishkek|Asia|som|Kyrgyz|Bishkek
Laos|Vientiane|Asia|kip|Lao|Vientiane
Latvia|Riga|Europe|euro|Latvian|Riga
Lebanon|Beirut|Asia|pound|Arabic|Beirut
Lesotho|Maseru|Africa|loti|Sotho|Maseru
Liberia|Monrovia|Africa|dollar|English|Monrovia
Libya|Tripoli|Africa|dinar|Arabic|Tripoli
Liechtenstein|Vaduz|Europe|franc|German|Schaan
Lithuania|Vilnius|Europe|euro|Lithuanian|Vilnius
Luxembourg|Luxembourg|Europe|euro|Luxembourgish|Luxembourg
Madagascar|Antananarivo|Africa|ariary|Malagasy|Antananarivo
Malawi|Lilongwe|Africa|kwacha|English|Lilongwe
Malaysia|Kuala Lumpur|Asia|ringgit|Malay|Kuala Lumpur
Maldives|Male|Asia|rufiyaa|Dhivehi|Male
Mali|Bamako|Africa|franc|-|Bamako
Malta|Valletta|Europe|euro|Maltese|-
Mauritania|Nouakchott|Africa|ouguiya|Arabic|Nouakchott
Mauritius|Port Louis|Africa|rupee|English|Port Louis
Mexico|Mexico City|North America|peso|Spanish|Mexico City
Moldova|Chisinau|Europe|leu|Romanian|Chisinau
Monaco|Monaco|Europe|euro|French|Monaco
Mongolia|Ulaanbaatar|Asia|tugrik|Mongolian|Ulaanbaatar
Montenegro|Podgorica|Europe|euro|Montenegrin|Podgorica
Morocco|Rabat|Africa|dirham|Arabic|Casablanca
Mozambique|Maputo|Africa|metical|Portuguese|-
Myanmar|Naypyidaw|Asia|kyat|Burmese|Yangon
Namibia|Windhoek|Africa|dollar|English|Windhoek
Nepal|Kathmandu|Asia|rupee|Nepali|Kathmandu
Netherlands|Amsterdam|Europe|euro|Dutch|Amsterdam
New Zealand|Wellington|Oceania|dollar|English|Auckland
Nicaragua|Managua|North America|cordoba|Spanish|Managua
Niger|Niamey|Africa|franc|-|Niamey
Nigeria|Abuja|Africa|naira|English|Lagos
North Korea|Pyongyang|Asia|won|Korean|Pyongyang
North Macedonia|Skopje|Europe|denar|Macedonian|Skopje
Norway|Oslo|Europe|krone|Norwegian|Oslo
Oman|Muscat|Asia|rial|Arabic|Muscat
Pakistan|Islamabad|Asia|rupee|Urdu|Karachi
Panama|Panama City|North America|balboa|Spanish|Panama City
Papua New Guinea|Port Moresby|Oceania|kina|English|Port Moresby
Paraguay|Asuncion|South America|guarani|Spanish|Asuncion
Peru|Lima|South America|sol|Spanish|Lima
Philippines|Manila|Asia|peso|Filipino|Quezon City
Poland|Warsaw|Europe|zloty|Polish|Warsaw
Portugal|Lisbon|Europe|euro|Portuguese|Lisbon
Qatar|Doha|Asia|riyal|Arabic|Doha
Romania|Bucharest|Europe|leu|Romanian|Bucharest
Russia|Moscow|Europe|ruble|Russian|Moscow
Rwanda|Kigali|Africa|franc|Kinyarwanda|Kigali
Samoa|Apia|Oceania|tala|Samoan|Apia
San Marino|San Marino|Europe|euro|Italian|-
Saudi Arabia|Riyadh|Asia|riyal|Arabic|Riyadh
Senegal|Dakar|Africa|franc|French|Dakar
Serbia|Belgrade|Europe|dinar|Serbian|Belgrade
Seychelles|Victoria|Africa|rupee|English|Victoria
Sierra Leone|Freetown|Africa|leone|English|Freetown
Singapore|Singapore|Asia|dollar|English|Singapore
Slovakia|Bratislava|Europe|euro|Slovak|Bratislava
Slovenia|Ljubljana|Europe|euro|Slovene|Ljubljana
Somalia|Mogadishu|Africa|shilling|Somali|Mogadishu
South Korea|Seoul|Asia|won|Korean|Seoul
South Africa|-|Africa|rand|-|Johannesburg
Spain|Madrid|Europe|euro|Spanish|Madrid
Sri Lanka|-|Asia|rupee|Sinhala|Colombo
Sudan|Khartoum|Africa|pound|Arabic|Khartoum
Suriname|Paramaribo|South America|dollar|Dutch|Paramaribo
Sweden|Stockholm|Europe|krona|Swedish|Stockholm
Switzerland|Bern|Europe|franc|German|Zurich
Syria|Damascus|Asia|pound|Arabic|-
Tajikistan|Dushanbe|Asia|somoni|Tajik|Dushanbe
Tanzania|Dodoma|Africa|shilling|Swahili|Dar es Salaam
Thailand|Bangkok|Asia|baht|Thai|Bangkok
Togo|Lome|Africa|franc|French|Lome
Tunisia|Tunis|Africa|dinar|Arabic|Tunis
Turkey|Ankara|Asia|lira|Turkish|Istanbul
Turkmenistan|Ashgabat|Asia|manat|Turkmen|Ashgabat
Uganda|Kampala|Africa|shilling|English|Kampala
Ukraine|Kyiv|Europe|hryvnia|Ukrainian|Kyiv
United Arab Emirates|Abu Dhabi|Asia|dirham|Arabic|Dubai
United Kingdom|London|Europe|pound|English|London
United States|Washington|North America|dollar|English|New York
Uruguay|Montevideo|South America|peso|Spanish|Montevideo
Uzbekistan|Tashkent|Asia|som|Uzbek|Tashkent
Venezuela|Caracas|South America|bolivar|Spanish|Caracas
Vietnam|Hanoi|Asia|dong|Vietnamese|Ho Chi Minh City
Yemen|Sanaa|Asia|rial|Arabic|Sanaa
Zambia|Lusaka|Africa|kwacha|English|Lusaka
Zimbabwe|Harare|Africa|-|English|Harare
`

const COLUMNS = ['country', 'capital', 'continent', 'currency', 'language', 'largestCity'] as const

export const COUNTRIES: readonly Country[] = TABLE.trim()
  .split('\n')
  .map(line => {
    const cells = line.split('|')
    const known = COLUMNS.map((name, index) => [name, cells[index] ?? '-'] as const).filter(([, cell]) => cell !== '-')
    return { country: cells[0] ?? '', ...Object.fromEntries(known) }
  })
