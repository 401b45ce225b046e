"""French."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)
# ruff: noqa: SIM905  (a row of words reads best as one string)

from __future__ import annotations

from unavoce.text.speech.languages.base import Addresses, Clock, Currency, Language

FRENCH = Language(
    code="fr",
    addresses=Addresses("point", "slash", "arobase", "tiret", "tiret bas", "plus", "port"),
    decimal_mark=",",
    group_mark="\u00a0",  # spaces are left to the engine, which joins them itself
    decimal_word="virgule",
    join="et",
    to="à",
    minus="moins",
    number_sign="numéro",
    signs={
        "→": "vers", "⇒": "donc", "->": "vers", "=>": "donc",
        "≥": "supérieur ou égal à", ">=": "supérieur ou égal à",
        "≤": "inférieur ou égal à", "<=": "inférieur ou égal à",
        "≠": "différent de", "!=": "différent de", "≈": "environ", "~": "environ",
        "==": "égale", "=": "égale", "+": "plus", "±": "plus ou moins", "−": "moins",
        "×": "fois", "÷": "divisé par", "<": "inférieur à", ">": "supérieur à",
        "π": "pi", "²": "au carré", "³": "au cube", "§": "paragraphe", "°": "degrés", "®": "", "™": "",
    },
    units={
        "km": ("kilomètre", "kilomètres"), "m": ("mètre", "mètres"), "cm": ("centimètre", "centimètres"),
        "mm": ("millimètre", "millimètres"), "kg": ("kilogramme", "kilogrammes"), "g": ("gramme", "grammes"),
        "mg": ("milligramme", "milligrammes"), "l": ("litre", "litres"), "L": ("litre", "litres"),
        "ml": ("millilitre", "millilitres"), "h": ("heure", "heures"), "min": ("minute", "minutes"),
        "s": ("seconde", "secondes"),
        "ms": ("milliseconde", "millisecondes"), "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"),
        "MHz": ("mégahertz", "mégahertz"), "GHz": ("gigahertz", "gigahertz"), "ko": ("kilooctet", "kilooctets"),
        "Mo": ("mégaoctet", "mégaoctets"), "Go": ("gigaoctet", "gigaoctets"), "To": ("téraoctet", "téraoctets"),
        "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"), "kWh": ("kilowattheure", "kilowattheures"),
        "V": ("volt", "volts"), "km/h": ("kilomètre heure", "kilomètres heure"),
        "m/s": ("mètre par seconde", "mètres par seconde"), "m²": ("mètre carré", "mètres carrés"),
        "m³": ("mètre cube", "mètres cubes"), "°C": ("degré Celsius", "degrés Celsius"),
        "°": ("degré", "degrés"), "%": ("pour cent", "pour cent"),
    },
    one={"": "un", "heure": "une", "minute": "une", "seconde": "une", "milliseconde": "une"},
    currencies={
        "€": Currency("un euro", "euros", "un centime", "centimes", "d'euros"),
        "EUR": Currency("un euro", "euros", "un centime", "centimes", "d'euros"),
        "euros": Currency("un euro", "euros", "un centime", "centimes", "d'euros"),
        "$": Currency("un dollar", "dollars", "un cent", "cents", "de dollars"),
        "USD": Currency("un dollar", "dollars", "un cent", "cents", "de dollars"),
        "£": Currency("une livre", "livres", "un penny", "pence", "de livres"),
        "CHF": Currency("un franc suisse", "francs suisses", "un centime", "centimes", "de francs suisses"),
    },
    cents="{major} {cents}",
    scales={"million": "million", "millions": "millions", "milliard": "milliard", "milliards": "milliards",
            "M": "millions", "Md": "milliards"},
    clock=Clock(
        time="{h} heures {m}", full_hour="{h} heures",
        one={"{h} heures": "une heure", "{h} heures {m}": "une heure {m}"}, time_mark=r"(?::| ?h ?)",
        date="{day} {month} {year}", first_day="premier",
        months=tuple("janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()),
    ),
    fractions={"½": "un demi", "¼": "un quart", "¾": "trois quarts", "⅓": "un tiers", "⅔": "deux tiers",
               "1/2": "un demi", "1/4": "un quart", "3/4": "trois quarts", "1/3": "un tiers", "2/3": "deux tiers"},
    abbreviations={
        "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames", "Mlle": "Mademoiselle",
        "Mme.": "Madame",
        "Mlle.": "Mademoiselle",
        "Dr": "Docteur", "Dr.": "Docteur", "Pr": "Professeur", "p. ex.": "par exemple",
        "p.ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "c.à.d.": "c'est-à-dire", "etc.": "et cetera",
        "env.": "environ", "av. J.-C.": "avant Jésus-Christ", "apr. J.-C.": "après Jésus-Christ",
        "n°": "numéro", "N°": "Numéro", "cf.": "voir", "chap.": "chapitre",
        "1er": "premier", "1re": "première", "1ère": "première", "2e": "deuxième", "2ème": "deuxième",
        "3e": "troisième", "3ème": "troisième", "4e": "quatrième", "5e": "cinquième", "XIXe": "dix-neuvième",
        "XXe": "vingtième", "XXIe": "vingt et unième", "XVIIIe": "dix-huitième", "XVIIe": "dix-septième",
    },
)  # fmt: skip
