"""What each card says a model is, and what it cannot do."""

TEXTS = {
    "arithmetic-a": (
        "Adds and subtracts whole numbers of up to three digits, evaluates sums of three or four terms, compares two numbers "
        "and solves short word problems, showing each column.",
        "No multiplication or division, no decimals or fractions, no numbers above 999, terms above 99 or results below zero "
        "inside longer expressions; word problems outside its story patterns."),
    "arithmetic-b": (
        "Multiplies (up to three by two digits), divides exactly and with remainder by 2 to 12, adds, subtracts, and evaluates "
        "a+b*c+d-e*f with numbers to 30, showing each step.",
        "No decimals or fractions, no divisors above 12, no numbers above 999 as operands."),
    "geography": (
        "Knows capital, continent, currency, main language and largest city of 167 countries.",
        "No neighbours, rivers, populations or history; disputed facts are left out; names are written without accents."),
    "elements": (
        "Knows symbol, name, atomic number, group, period and category of all 118 elements.",
        "No compounds, reactions, masses or properties; elements of the f-block have no group here; categories follow the "
        "place in the periodic table."),
    "words": (
        "Counts and names letters, reverses and orders words, forms plurals and past tenses; spells byte by byte.",
        "No meanings, no grammar beyond plural and past tense of common words, sorts three words with different first "
        "letters only, words of up to about 20 letters."),
    "calendar": (
        "Counts weekdays forwards and backwards, knows months and leap years, adds days to dates and minutes to clock times.",
        "No weekday of a given date, no counting across the end of February, dates at most 40 days on, day counts to 130, "
        "times within one day, no time zones."),
    "generalist": (
        "Knows a little of everything: part of arithmetic, geography, chemistry, words, calendar, units and logic.",
        "Half of the countries, the elements after gadolinium, long expressions, reversing words, classes of things, most of what "
        "its specialists know: each of them is clearly better in its field."),
    "planner": (
        "Turns a composite question into sub-questions, one line each with a skill and references to earlier answers.",
        "Answers nothing itself; only plans shapes of composition it was taught, with at most eight steps."),
    "units": (
        "Converts between everyday units of length, mass, volume, time and money, both ways, with the factor stated first.",
        "No temperatures, areas or speeds, no conversion between metric and imperial units, whole results only, amounts to 999 "
        "of the larger unit."),
    "logic": (
        "Answers yes or no from a short passage with the evidence first, follows classes, evaluates and, or, not.",
        "Only the sentence patterns it was taught, such as \"Anna has hats\" and \"All cats are robots\": no free text, no orders, "
        "no unknown or maybe, at most four people and three operators."),
    "reviewer": (
        "Judges a proposed answer to a short question: works out its own answer first, lays the two side by side, then says "
        "correct, or wrong with the corrected answer.",
        "Only sums, differences, comparisons and short stories with numbers to 999, units that only move zeros, plurals and "
        "past tenses of common words: about anything else its verdict means nothing. No sentences as answers, no partial credit, "
        "no second opinion on what it cannot derive."),
}
