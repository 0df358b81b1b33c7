"""Weekdays, months, leap years, durations and date arithmetic, each with its walk shown."""
from generators.arithmetic import add_steps, subtract_steps
from generators.base import Item, phrase, vary

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SHORT = "Mo Tu We Th Fr Sa Su".split()
MONTHS = "January February March April May June July August September October November December".split()
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
PHRASINGS = {
    "day after": [
        "What day comes {n} days after {d}?", "What day of the week is {n} days after {d}?", "Which day is {n} days after {d}?",
        "If today is {d}, what day is it in {n} days?", "Today is {d}. What day is it in {n} days?",
        "What weekday is {n} days after {d}?", "Which weekday comes {n} days after {d}?", "What day is {n} days after {d}?",
        "It is {d}. What day will it be {n} days from now?",
    ],
    "day before": [
        "What day comes {n} days before {d}?", "What day of the week is {n} days before {d}?", "Which day is {n} days before {d}?",
        "If today is {d}, what day was it {n} days ago?", "Today is {d}. What day was it {n} days ago?",
        "What weekday is {n} days before {d}?", "What day is {n} days before {d}?",
    ],
    "next day": [
        "What day comes after {d}?", "Which day comes after {d}?", "What is the day after {d}?", "Which day follows {d}?",
        "If today is {d}, what day is tomorrow?", "What day follows {d}?", "Today is {d}. What day is tomorrow?",
        "What is the next day after {d}?", "Name the day after {d}.",
    ],
    "previous day": [
        "What day comes before {d}?", "Which day comes before {d}?", "What is the day before {d}?", "Name the day before {d}.",
        "If today is {d}, what day was yesterday?", "Today is {d}. What day was yesterday?", "Which day is right before {d}?",
    ],
    "days in month": [
        "How many days are in {m}?", "How many days does {m} have?", "How many days are there in {m}?", "What is the number of days in {m}?",
        "How long is {m} in days?", "Number of days in {m}?", "How many days has {m}?", "Give the number of days in {m}.",
    ],
    "days in February": [
        "How many days does February have in {y}?", "How many days are in February {y}?", "How many days did February {y} have?",
        "How many days are there in February {y}?",
    ],
    "leap year": [
        "Is {y} a leap year?", "Was {y} a leap year?", "Is the year {y} a leap year?", "Does {y} count as a leap year?",
        "Is {y} a leap year, yes or no?",
    ],
    "next month": [
        "Which month comes after {m}?", "What month comes after {m}?", "What is the month after {m}?", "Which month follows {m}?",
        "Name the month after {m}.", "What month follows {m}?",
    ],
    "previous month": [
        "Which month comes before {m}?", "What month comes before {m}?", "What is the month before {m}?", "Name the month before {m}.",
    ],
    "month number": [
        "What number is {m} among the months?", "Which number does the month {m} have?", "What is the number of the month {m}?",
        "{m} is which month of the year, as a number?",
    ],
    "nth month": [
        "What is the {o} month of the year?", "Which month is the {o} of the year?", "Name the {o} month of the year.",
        "Which is the {o} month?",
    ],
    "days between": [
        "How many days are there from {x} to {z}?", "How many days are between {x} and {z}?", "How many days is it from {x} to {z}?",
        "How many days pass from {x} to {z}?",
    ],
    "date after": [
        "What date is {n} days after {x}?", "Which date is {n} days after {x}?", "What is the date {n} days after {x}?",
        "Today is {x}. What is the date in {n} days?",
    ],
    "duration": [
        "How many minutes are there from {x} to {z}?", "How many minutes is it from {x} to {z}?",
        "How many minutes pass from {x} to {z}?", "A film runs from {x} to {z}. How many minutes is that?",
        "How many minutes are between {x} and {z}?",
    ],
    "clock after": [
        "What time is it {n} minutes after {x}?", "It is {x}. What time is it in {n} minutes?", "What is the time {n} minutes after {x}?",
    ],
}


def item(kind, rng, key, answer, steps="", grader="text", **slots):
    """Facts are keyed with their phrasing, computed questions by their numbers (key without `#`)."""
    index, question = phrase(PHRASINGS, kind, rng, **slots)
    return Item(vary(question, rng), str(answer), kind, f"calendar:{kind}:{key.replace('#', str(index))}", grader, steps)


def walk(day, count, direction):
    """`26=21+5: Mo Tu We Th Fr Sa`: whole weeks first, then day by day."""
    rest = count % 7
    names = [SHORT[(day + direction * index) % 7] for index in range(rest + 1)]
    return f"{count}={count - rest}+{rest}: {' '.join(names)}", DAYS[(day + direction * rest) % 7]


def moved_day(kind, direction):
    def make(rng):
        day = rng.randrange(7)
        count = rng.randint(2, 30) if rng.random() < 0.5 else rng.randint(2, 130)
        steps, answer = walk(day, count, direction)
        return item(kind, rng, f"{day},{count}", answer, steps, n=count, d=DAYS[day])
    return make


def neighbour_day(kind, direction):
    def make(rng):
        day = rng.randrange(7)
        return item(kind, rng, f"{day}#", DAYS[(day + direction) % 7], d=DAYS[day])
    return make


def days_in_month(rng):
    month = rng.choice([index for index in range(12) if index != 1])
    return item("days in month", rng, f"{month}#", LENGTHS[month], grader="number", m=MONTHS[month])


def year(rng):
    return rng.randrange(1500, 2600) if rng.random() < 0.8 else 100 * rng.randrange(12, 30)


def leap_steps(number):
    """The last two digits divided by four, or the first two for a century: `23=4*5+3`."""
    part = number // 100 if number % 100 == 0 else number % 100
    rest = part % 4
    return f"{part:02d}=4*{part // 4}{f'+{rest}' if rest else ''}", rest == 0


def leap_year(rng):
    number = year(rng)
    steps, leap = leap_steps(number)
    return item("leap year", rng, str(number), "yes" if leap else "no", steps, "boolean", y=number)


def days_in_february(rng):
    number = year(rng)
    steps, leap = leap_steps(number)
    return item("days in February", rng, str(number), 29 if leap else 28, steps, "number", y=number)


def neighbour_month(kind, direction):
    def make(rng):
        month = rng.randrange(12)
        return item(kind, rng, f"{month}#", MONTHS[(month + direction) % 12], m=MONTHS[month])
    return make


def month_number(rng):
    month = rng.randrange(12)
    return item("month number", rng, f"{month}#", month + 1, grader="number", m=MONTHS[month])


def nth_month(rng):
    month = rng.randrange(12)
    return item("nth month", rng, f"{month}#", MONTHS[month], o=ORDINALS[month])


def date(month, day, style):
    return f"{MONTHS[month]} {day}" if style else f"{day} {MONTHS[month]}"


def days_between(rng):
    """Within one month, or from one month into the next; never across the end of February."""
    month, style = rng.randrange(12), rng.random() < 0.7
    day = rng.randint(1, LENGTHS[month] - 1)
    if rng.random() < 0.5 or month in (1, 11):
        other, last = rng.randint(day + 1, LENGTHS[month]), month
        steps, answer = subtract_steps(other, day), other - day
    else:
        other, last = rng.randint(1, LENGTHS[month + 1]), month + 1
        rest = LENGTHS[month] - day
        answer = rest + other
        steps = f"{MONTHS[month]} {LENGTHS[month]}; {subtract_steps(LENGTHS[month], day)}; {add_steps(rest, other)}"
    return item("days between", rng, f"{month},{day},{last},{other}", answer, steps, "number",
                x=date(month, day, style), z=date(last, other, style))


def date_after(rng):
    """Up to 40 days on, into the next month at most; never across the end of February."""
    month, style = rng.randrange(11), rng.random() < 0.7
    day, count = rng.randint(1, LENGTHS[month]), rng.randint(2, 40)
    total, length = day + count, LENGTHS[month]
    if month == 1 and total > 28 or total - length > LENGTHS[month + 1]:
        return None
    steps = f"{add_steps(day, count)}; {MONTHS[month]} {length}"
    answer = f"{MONTHS[month]} {total}"
    if total > length:
        steps += f"; {subtract_steps(total, length)}"
        answer = f"{MONTHS[month + 1]} {total - length}"
    return item("date after", rng, f"{month},{day},{count}", answer, steps, n=count, x=date(month, day, style))


def clock(minutes):
    return f"{minutes // 60}:{minutes % 60:02d}"


def duration(rng):
    """Whole hours to minutes, then the minutes of the end added and those of the start taken off."""
    start = rng.randrange(0, 22 * 60)
    stop = min(start + rng.randint(5, 180), 23 * 60 + 59)
    hours = stop // 60 - start // 60
    total = hours * 60 + stop % 60
    steps = f"{stop // 60}-{start // 60}={hours}; {hours}*60={hours * 60}; {add_steps(hours * 60, stop % 60)}; {subtract_steps(total, start % 60)}"
    return item("duration", rng, f"{start},{stop}", stop - start, steps, "number", x=clock(start), z=clock(stop))


def clock_after(rng):
    """Minutes first; sixty of them are an hour."""
    start, count = rng.randrange(0, 22 * 60), rng.randint(2, 59)
    hour, minute = divmod(start, 60)
    steps = add_steps(minute, count)
    if minute + count >= 60:
        steps += f"; {subtract_steps(minute + count, 60)}; {hour}+1={hour + 1}"
    return item("clock after", rng, f"{start},{count}", clock(start + count), steps, n=count, x=clock(start))
