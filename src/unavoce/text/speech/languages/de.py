"""German."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)
# ruff: noqa: SIM905  (a row of words reads best as one string)

from __future__ import annotations

from unavoce.text.speech.languages.base import Addresses, Clock, Currency, Language

MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
_SMALL_ORDINALS = (
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte vierzehnte "
    "fünfzehnte sechzehnte siebzehnte achtzehnte neunzehnte zwanzigste"
).split()
_ONES = "ein zwei drei vier fünf sechs sieben acht neun".split()


def ordinal(number: int) -> str:
    """The weak form: 3 → "dritte". `number` from 1 to 39."""
    if number <= 20:
        return _SMALL_ORDINALS[number - 1]
    tens = "zwanzigste" if number < 30 else "dreißigste"
    return f"{_ONES[number % 10 - 1]}und{tens}" if number % 10 else tens


GERMAN = Language(
    code="de",
    addresses=Addresses("Punkt", "Schrägstrich", "ät", "Strich", "Unterstrich", "plus", "Port"),
    decimal_mark=",",
    group_mark=".",
    decimal_word="Komma",
    join="und",
    to="bis",
    minus="minus",
    number_sign="Nummer",
    signs={
        "→": "zu", "⇒": "zu", "->": "zu", "=>": "zu",
        "≥": "größer oder gleich", ">=": "größer oder gleich",
        "≤": "kleiner oder gleich", "<=": "kleiner oder gleich",
        "≠": "ungleich", "!=": "ungleich", "≈": "ungefähr", "~": "ungefähr",
        "==": "gleich", "=": "gleich", "+": "plus", "±": "plus minus", "−": "minus",
        "×": "mal", "÷": "geteilt durch", "<": "kleiner als", ">": "größer als",
        "π": "Pi", "²": "Quadrat", "³": "hoch drei", "§": "Paragraf", "°": "Grad", "®": "", "™": "",
    },
    units={
        "km": ("Kilometer", "Kilometer"), "m": ("Meter", "Meter"), "cm": ("Zentimeter", "Zentimeter"),
        "mm": ("Millimeter", "Millimeter"), "kg": ("Kilogramm", "Kilogramm"), "g": ("Gramm", "Gramm"),
        "mg": ("Milligramm", "Milligramm"), "l": ("Liter", "Liter"), "ml": ("Milliliter", "Milliliter"),
        "h": ("Stunde", "Stunden"), "Std.": ("Stunde", "Stunden"), "min": ("Minute", "Minuten"),
        "Min.": ("Minute", "Minuten"), "s": ("Sekunde", "Sekunden"), "ms": ("Millisekunde", "Millisekunden"),
        "Hz": ("Hertz", "Hertz"), "kHz": ("Kilohertz", "Kilohertz"), "MHz": ("Megahertz", "Megahertz"),
        "GHz": ("Gigahertz", "Gigahertz"), "KB": ("Kilobyte", "Kilobyte"), "MB": ("Megabyte", "Megabyte"),
        "GB": ("Gigabyte", "Gigabyte"), "TB": ("Terabyte", "Terabyte"), "W": ("Watt", "Watt"),
        "kW": ("Kilowatt", "Kilowatt"), "kWh": ("Kilowattstunde", "Kilowattstunden"), "V": ("Volt", "Volt"),
        "km/h": ("Kilometer pro Stunde", "Kilometer pro Stunde"),
        "m/s": ("Meter pro Sekunde", "Meter pro Sekunde"),
        "m²": ("Quadratmeter", "Quadratmeter"), "m³": ("Kubikmeter", "Kubikmeter"),
        "°C": ("Grad Celsius", "Grad Celsius"), "°": ("Grad", "Grad"), "%": ("Prozent", "Prozent"),
    },
    one={"": "ein", "Stunde": "eine", "Minute": "eine", "Sekunde": "eine", "Millisekunde": "eine",
         "Kilowattstunde": "eine"},
    currencies={
        "€": Currency("ein Euro", "Euro", "ein Cent", "Cent"),
        "EUR": Currency("ein Euro", "Euro", "ein Cent", "Cent"),
        "Euro": Currency("ein Euro", "Euro", "ein Cent", "Cent"),
        "Dollar": Currency("ein Dollar", "Dollar", "ein Cent", "Cent"),
        "$": Currency("ein Dollar", "Dollar", "ein Cent", "Cent"),
        "USD": Currency("ein US-Dollar", "US-Dollar", "ein Cent", "Cent"),
        "£": Currency("ein Pfund", "Pfund", "ein Penny", "Pence"),
        "CHF": Currency("ein Franken", "Franken", "ein Rappen", "Rappen"),
    },
    cents="{major} {cents}",
    scales={"Mio.": "Millionen", "Mrd.": "Milliarden", "Tsd.": "Tausend",
            "Millionen": "Millionen", "Milliarden": "Milliarden"},
    clock=Clock(
        time="{h} Uhr {m}", full_hour="{h} Uhr",
        one={"{h} Uhr": "ein Uhr", "{h} Uhr {m}": "ein Uhr {m}"}, suffix="Uhr", time_mark=r"(?::|\.(?=[0-5][0-9] Uhr))",
        date="{day}. {month} {year}", months=tuple(MONTHS),
    ),
    fractions={"½": "ein halb", "¼": "ein Viertel", "¾": "drei Viertel", "⅓": "ein Drittel", "⅔": "zwei Drittel",
               "1/2": "ein halb", "1/4": "ein Viertel", "3/4": "drei Viertel", "1/3": "ein Drittel",
               "2/3": "zwei Drittel"},
    abbreviations={
        "z.B.": "zum Beispiel", "z. B.": "zum Beispiel", "d.h.": "das heißt", "d. h.": "das heißt",
        "u.a.": "unter anderem", "u. a.": "unter anderem", "usw.": "und so weiter", "etc.": "et cetera",
        "bzw.": "beziehungsweise", "ca.": "circa", "vgl.": "vergleiche", "evtl.": "eventuell",
        "ggf.": "gegebenenfalls", "inkl.": "inklusive", "zzgl.": "zuzüglich", "sog.": "sogenannt",
        "o.ä.": "oder ähnlich", "o. ä.": "oder ähnlich",
        "u.U.": "unter Umständen", "i.d.R.": "in der Regel", "z.T.": "zum Teil", "s.o.": "siehe oben",
        "s.u.": "siehe unten", "v.a.": "vor allem", "Dr.": "Doktor", "Prof.": "Professor",
        "Hr.": "Herr", "Hrn.": "Herrn",
        "Fr.": "Frau", "Nr.": "Nummer", "Str.": "Straße", "Tel.": "Telefon", "Abb.": "Abbildung",
        "Bd.": "Band", "St.": "Sankt", "Mio.": "Millionen", "Mrd.": "Milliarden",
        "Jh.": "Jahrhundert", "n.Chr.": "nach Christus", "n. Chr.": "nach Christus",
        "v.Chr.": "vor Christus", "v. Chr.": "vor Christus",
    },
    decimals_one_by_one=True,
)  # fmt: skip
