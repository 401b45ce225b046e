"""Spanish."""

# ruff: noqa: RUF001  (typographic marks are what this file reads)
# ruff: noqa: SIM905  (a row of words reads best as one string)

from __future__ import annotations

from unavoce.text.speech.languages.base import Addresses, Clock, Currency, Language

SPANISH = Language(
    code="es",
    addresses=Addresses("punto", "barra", "arroba", "guion", "guion bajo", "más", "puerto"),
    decimal_mark=",",
    group_mark=".",
    decimal_word="coma",
    join="y",
    to="a",
    minus="menos",
    number_sign="número",
    signs={
        "→": "a", "⇒": "entonces", "->": "a", "=>": "entonces",
        "≥": "mayor o igual que", ">=": "mayor o igual que", "≤": "menor o igual que", "<=": "menor o igual que",
        "≠": "distinto de", "!=": "distinto de", "≈": "aproximadamente", "~": "unos",
        "==": "igual a", "=": "igual a", "+": "más", "±": "más menos", "−": "menos",
        "×": "por", "÷": "dividido entre", "<": "menor que", ">": "mayor que",
        "π": "pi", "²": "al cuadrado", "³": "al cubo", "§": "sección", "°": "grados", "®": "", "™": "",
    },
    units={
        "km": ("kilómetro", "kilómetros"), "m": ("metro", "metros"), "cm": ("centímetro", "centímetros"),
        "mm": ("milímetro", "milímetros"), "kg": ("kilogramo", "kilogramos"), "g": ("gramo", "gramos"),
        "mg": ("miligramo", "miligramos"), "l": ("litro", "litros"), "L": ("litro", "litros"),
        "ml": ("mililitro", "mililitros"), "h": ("hora", "horas"), "min": ("minuto", "minutos"),
        "s": ("segundo", "segundos"), "ms": ("milisegundo", "milisegundos"), "Hz": ("hercio", "hercios"),
        "kHz": ("kilohercio", "kilohercios"), "MHz": ("megahercio", "megahercios"),
        "GHz": ("gigahercio", "gigahercios"), "KB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"),
        "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"), "W": ("vatio", "vatios"),
        "kW": ("kilovatio", "kilovatios"), "kWh": ("kilovatio hora", "kilovatios hora"), "V": ("voltio", "voltios"),
        "km/h": ("kilómetro por hora", "kilómetros por hora"),
        "m/s": ("metro por segundo", "metros por segundo"), "m²": ("metro cuadrado", "metros cuadrados"),
        "m³": ("metro cúbico", "metros cúbicos"), "°C": ("grado centígrado", "grados centígrados"),
        "°": ("grado", "grados"), "%": ("por ciento", "por ciento"),
    },
    one={"": "un", "hora": "una", "por ciento": "uno"},
    currencies={
        "€": Currency("un euro", "euros", "un céntimo", "céntimos", "de euros"),
        "EUR": Currency("un euro", "euros", "un céntimo", "céntimos", "de euros"),
        "euros": Currency("un euro", "euros", "un céntimo", "céntimos", "de euros"),
        "$": Currency("un dólar", "dólares", "un centavo", "centavos", "de dólares"),
        "USD": Currency("un dólar", "dólares", "un centavo", "centavos", "de dólares"),
        "£": Currency("una libra", "libras", "un penique", "peniques", "de libras"),
    },
    cents="{major} con {cents}",
    scales={"millón": "millón", "millones": "millones", "mil": "mil"},
    clock=Clock(
        time="{h} y {m}", full_hour="{h} en punto",
        one={"{h} en punto": "una en punto", "{h} y {m}": "una y {m}"}, suffix="h",
        date="{day} de {month} de {year}", first_day="uno",
        months=tuple(
            "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
        ),
    ),
    fractions={"½": "un medio", "¼": "un cuarto", "¾": "tres cuartos", "⅓": "un tercio", "⅔": "dos tercios",
               "1/2": "un medio", "1/4": "un cuarto", "3/4": "tres cuartos", "1/3": "un tercio",
               "2/3": "dos tercios"},
    abbreviations={
        "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora",
        "Ud.": "usted", "Uds.": "ustedes", "p. ej.": "por ejemplo", "a. m.": "de la mañana",
        "a.m.": "de la mañana", "p. m.": "de la tarde", "p.m.": "de la tarde", "p.ej.": "por ejemplo",
        "etc.": "etcétera", "EE. UU.": "Estados Unidos", "EE.UU.": "Estados Unidos", "aprox.": "aproximadamente",
        "n.º": "número", "núm.": "número", "pág.": "página", "págs.": "páginas", "tel.": "teléfono",
        "av.": "avenida", "Av.": "Avenida", "a. C.": "antes de Cristo", "d. C.": "después de Cristo",
        "1.º": "primero", "1.ª": "primera", "2.º": "segundo", "2.ª": "segunda", "3.º": "tercero",
        "3.ª": "tercera", "máx.": "máximo", "mín.": "mínimo",
    },
)  # fmt: skip
