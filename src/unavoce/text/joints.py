# ruff: noqa: RUF001 (letters of several scripts are this file's content)
"""Word lists by language: what stands where one clause of a sentence meets the next.

Only languages listed here are parted before a word; in all others a mark between long parts is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from unavoce.text.vocabulary import STARTERS, words

_SUBORDINATING = {
    "en": "because although though whereas unless while but",
    "de": "aber sondern weil obwohl denn",
    "fr": "mais car parce puisque tandis lorsque",
    "es": "pero porque aunque mientras sino",
    "it": "ma però perché mentre sebbene",
    "pt": "mas porque embora enquanto",
    "nl": "maar omdat terwijl hoewel want",
}
"""A clause begins with them, whatever follows."""

_JOINING = {
    "en": "and or so until before after since when if as",
    "de": "und oder",
    "fr": "et ou quand si",
    "es": "y o cuando si",
    "it": "e o quando se",
    "pt": "e ou quando se",
    "nl": "en of",
    "ru": "и или",
}
"""They join clauses as often as words: what follows has to be the beginning of a clause."""

_SUBJECTS = {
    "en": "i he she it we they you there then everyone nobody somebody i'm i'll i've it's he's she's we're they're",
    "de": "ich er sie es wir ihr man dann dort jeder niemand",
    "fr": "je il elle on nous vous ils elles puis alors ensuite c'est",
    "es": "yo él ella ellos ellas nosotros usted ustedes luego después entonces",
    "it": "io lui lei noi voi loro poi allora quindi",
    "pt": "eu ele ela eles elas nós você vocês depois então",
    "nl": "ik hij zij ze we wij je het er dan men",
    "ru": "я он она мы они вы ты потом затем это",
}
"""With them a clause begins after a joining word."""

_AUXILIARIES = {
    "en": "has have had is are was were will would can could should may might must",
    "de": "ist sind war waren hat haben hatte hatten wird werden wurde wurden kann können konnte konnten soll sollte",
    "fr": "est sont était étaient ont avait avaient sera seront fut furent",
    "es": "es son era eran ha han había habían fue fueron está están estaba estaban",
    "it": "è sono era erano ha hanno aveva avevano fu furono",
    "pt": "é são era eram tem têm tinha tinham foi foram está estão estava estavam",
    "nl": "is zijn was waren heeft hebben had hadden wordt worden werd werden",
}
"""Finite verbs: where one is the last word or the last but one ("had gone"), a clause may be over."""

_OPENERS = {
    "en": (
        "when while as after since because although though before once until unless whenever if in on at by during "
        "despite given for with without to from under over across along behind instead according"
    ),
    "de": (
        "wenn als während nachdem bevor obwohl weil da sobald seit solange falls damit um ohne nach vor in an auf bei "
        "mit trotz wegen"
    ),
    "fr": "quand lorsque après avant bien puisque comme si dès pendant depuis pour dans sans avec malgré selon en à",
    "es": "cuando después antes aunque porque como si desde mientras durante para en con sin según al a tras",
    "it": "quando dopo prima sebbene perché se mentre durante per in con senza secondo da a",
    "pt": "quando depois antes embora porque como se desde enquanto durante para em com sem segundo ao após",
    "nl": "toen als terwijl nadat voordat hoewel omdat zodra sinds tijdens om in op bij met zonder na voor volgens",
    "ru": "когда если хотя пока после перед как чтобы поскольку во в на с по при для без",
}
"""A sentence that begins with one has its first comma where the main clause begins."""

_MORE_STARTERS = {
    "en": "who whom whose which where nor into through over whereas unless though because",
    "de": (
        "weil dass obwohl während nachdem bevor damit sodass sondern wobei deren dessen denen welche welcher welches "
        "wo wie ohne statt sobald falls"
    ),
    "fr": "qui que dont où lequel laquelle parce puisque tandis afin lorsque avant après sans",
    "es": "que quien quienes cual donde porque aunque pero sino mientras después antes",
    "it": "che chi cui dove perché ma però mentre dopo prima anche",
    "pt": "que quem onde porque mas embora enquanto depois antes",
    "nl": "die dat wie waar omdat terwijl hoewel zodat nadat voordat maar want",
    "ru": "который которая которое которые которого которой которых где потому но а чтобы когда если хотя так что кто",
}

_RELATIVES = {
    "en": "who whose whom which",
    "de": "der die das den dem dessen deren",
    "fr": "qui que dont où",
    "es": "que quien quienes cuyo cuya",
    "it": "che cui chi",
    "pt": "que quem cujo cuja",
    "nl": "die dat wie",
    "ru": "который которая которое которые которого которой которым которую",
}
"""What stands before a comma and one of them is no item of a list."""

_LEANING = {
    "en": (
        "a an the this that these those my your his her its our their some any no every each another to of in on at by "
        "for from with as than not just even only ever so too very more most less both either neither all such and or "
        "but if because when while is are was were be been simply mainly mostly partly perhaps maybe largely probably "
        "know knows see ask asked wonder remember tell tells decide decided check sure do does did think hope say soon "
        "long shortly right here now again then nobody nothing anything everything none one what who how why where day "
        "time moment half up down"
    ),
    "de": "der die das den dem des ein eine einen einem einer mein sein ihr nicht nur auch sowohl weder noch und oder",
    "fr": "le la les un une des du de à en pas ne que et ou ni au aux son sa ses mon ma mes",
    "es": "el la los las un una de del a al en no ni que y o su sus mi mis lo",
    "it": "il lo la gli le un uno una di del della a al in non né che e o suo sua mio mia",
    "pt": "o a os as um uma de do da em no na não nem que e ou seu sua meu minha",
    "nl": "de het een niet noch en of zijn haar mijn",
    "ru": "не ни и или в на с к от для из",
}
"""They belong to what follows, or the word behind them belongs to them: nothing is parted after one."""


@dataclass(frozen=True, slots=True)
class Joints:
    """What is known of one language. Lower case."""

    subordinating: frozenset[str]
    joining: frozenset[str]
    subjects: frozenset[str]
    auxiliaries: frozenset[str]
    openers: frozenset[str]
    starters: frozenset[str]
    """Words without a picture of their own, with which a clause may begin after a comma."""
    relatives: frozenset[str]
    leaning: frozenset[str]
    capital_nouns: bool
    """A capital says nothing of a name."""


@lru_cache(maxsize=64)
def joints_of(language: str) -> Joints | None:
    """What is known of a language (a BCP 47 tag); None for one that is not listed."""
    code = language.lower().replace("_", "-").split("-")[0]
    if code not in _OPENERS:
        return None
    starters = frozenset(word.lower() for word in STARTERS[code].split())
    joints = _of(_SUBORDINATING, code) | _of(_JOINING, code)
    return Joints(
        _of(_SUBORDINATING, code),
        _of(_JOINING, code),
        _of(_SUBJECTS, code),
        _of(_AUXILIARIES, code),
        _of(_OPENERS, code),
        starters | _of(_MORE_STARTERS, code) | joints,
        _of(_RELATIVES, code),
        _of(_LEANING, code),
        capital_nouns=code == "de",
    )


def _of(lists: dict[str, str], code: str) -> frozenset[str]:
    return words(lists.get(code, ""))
