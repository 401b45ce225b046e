# ruff: noqa: RUF001 (letters of several scripts are this file's content)
"""Word lists of the sentence cutter, by language ("" for all): what stands beside full stops.

Only abbreviations whose kind matters are listed; `words` asks sentencex about all others.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLE = {
    "": (
        "dr prof mr mrs ms mx messrs rev hon gen col maj capt cmdr lt sgt cpl pvt sen rep gov pres fr "
        "mt supt insp adm amb"
    ),
    "de": "hr hrn fr frl dipl ing mag st",
    "fr": "m mm mme mmes mlle mlles me mgr dr pr st ste vve",
    "es": "sr sra srta sres sras dr dra dña ud uds vd vds lic ing gral",
    "it": "sig sigg dott avv ing arch geom on prof sig.ra dott.ssa",
    "pt": "sr sra srs dr dra eng exa exmo exma d",
    "nl": "dhr mevr mw drs ir mr prof dr",
    "ru": "им ул гр тов проф акад",
    "hi": "डॉ श्री प्रो",
}
"""Before names: never the end of a sentence."""

INNER = {
    "": "e.g i.e vs cf viz ca approx incl excl resp p.ex eg ie",
    "de": (
        "z z.b d d.h u u.a o o.ä bzw vgl evtl ggf inkl exkl sog zzgl abzgl bspw ca v geb gest i.d.r s.o "
        "s.u tel max min einschl insb allg urspr rd"
    ),
    "fr": "p p.ex env av apr j.-c ex cf c.-à-d",
    "es": "p p.ej ej ee aprox núm av avda tel c",
    "it": "es p.es ca tel cfr",
    "pt": "p.ex ex av r aprox tel",
    "nl": "bijv d.w.z o.a m.b.t i.p.v ca",
    "ru": "т т.е напр ср см",
}
"""Something always follows: never the end."""

NUMBERED = {
    "": "no nos fig figs vol vols p pp ch sec sect eq ex art nr pg par para cap ver §",
    "de": "abb tab nr s bd kap art abs str hausnr z",
    "fr": "n° p art vol chap fig t",
    "es": "pág págs núm art cap vol fig",
    "it": "pag pagg n art cap vol fig",
    "pt": "pág págs n art cap vol fig",
    "ru": "с стр рис гл",
}
"""A number follows; before anything else many are ordinary words ("No.")."""

EITHER = {
    "": (
        "inc ltd co corp jr sr st ave blvd rd dept est gov assn bros llc univ jan feb mar apr jun jul aug "
        "sep sept oct nov dec mon tue tues wed thu thur thurs fri u.s u.k u.n e.u u.s.a d.c ph.d m.d b.a "
        "m.a b.sc m.sc l.a n.y s.a a.d b.c a.m p.m p.s plc temp ext ft al"
    ),
    "de": "str jh jhdt mio mrd std n.chr v.chr gmbh st",
    "fr": "j.-c bd",
    "es": "uu a.c d.c s.a",
    "it": "s.p.a a.c d.c",
    "pt": "s.a",
    "ru": "г гг в вв н.э млн млрд руб тыс",
}
"""May end a sentence; then the next word is one that begins sentences."""

CLOSING = {
    "": "etc min hr hrs lb lbs oz kg",
    "de": "usw usf dgl etc u.v.m u.ä",
    "fr": "etc",
    "es": "etc m",
    "it": "ecc etc",
    "pt": "etc",
    "nl": "enz etc",
    "ru": "д др т.д т.п п",
}
"""Mostly the end of what they are in ("etc."): the end before any capital."""

ORDINARY = {
    "en": (
        "a me may ok ill miss ore id que re la con op pa ken det ind del ex mo fed arc alta loc bart ord "
        "mar dec art no sec in is it us am so exp nem nev min"
    ),
    "de": "an am in es so da ab um rot art tag mal",
    "fr": "a la le les est en et un ne on",
    "es": "a la el en es al un no",
    "it": "a la il e al no si",
}
"""Words that sentencex lists as abbreviations, or might, but that end sentences every day."""

STARTERS = {
    "en": (
        "A About After Afterwards All Also Although An And Another Any Are As At Because Before Both But "
        "By Can Could Did Do Does During Each Even Every Everyone Everything Finally For From Had Has "
        "Have He Her Here His How However I I'd I'll I'm I've If In Instead Is It It's Its Just Let Let's "
        "Many Maybe Meanwhile More Most My Neither Never Nevertheless Next No Nobody None Not Nothing Now "
        "Of On Once One Only Or Our Perhaps Please She She's Should Since So Some Somebody Someone "
        "Sometimes Soon Still Such Suddenly Than That That's The Their Then There There's Therefore These "
        "They They're This Those Though Three Thus To Today Together Tomorrow Two Under Unfortunately "
        "Until Was We We'll We're Well Were What What's When Where Whether Which While Who Why Will With "
        "Without Would Yes Yesterday Yet You You're Your"
    ),
    "de": (
        "Aber Alle Alles Als Also Am An Auch Auf Aus Bei Bis Bitte Da Dabei Dadurch Dafür Daher Damals "
        "Damit Danach Dann Daraufhin Darum Das Dass Davor Dazu Dem Den Denn Der Des Deshalb Die Dies "
        "Diese Dieser Dieses Doch Dort Drei Du Ein Eine Einen Einer Er Erst Es Für Gestern Hat Heute Hier "
        "Hinter Ich Ihr Ihre Im In Ist Ja Jeder Jetzt Kann Kein Keine Könnte Man Manchmal Mein Meine Mit "
        "Morgen Nach Nachher Nein Nicht Nichts Niemand Noch Nun Nur Ob Oder Schließlich Sein Seine Seit "
        "Sie Sind So Sobald Solche Sonst Trotzdem Über Um Und Uns Unser Unter Viele Vielleicht Vom Von "
        "Vor War Warum Was Weil Wenn Wer Wie Wir Wird Wo Zu Zuerst Zum Zur Zwei Zwischen"
    ),
    "es": (
        "A Además Ahora Al Algo Algunos Antes Aquí Así Aun Aunque Cada Como Con Cuando De Del Desde "
        "Después Donde Durante El Ella Ellas Ellos En Entonces Era Es Esa Ese Eso Esta Este Esto Fue Hay "
        "Hoy La Las Le Lo Los Luego Mañana Me Mi Mientras Muchos Muy Nada Nadie No Nos Nosotros O Para "
        "Pero Por Porque Pues Que Quizás Se Según Si Sí Sin Sobre Solo Son Su Sus También Tampoco Te "
        "Tengo Todo Todos Tras Tu Tú Un Una Uno Usted Y Ya Yo"
    ),
    "fr": (
        "À Ainsi Alors Après Au Aujourd'hui Aussi Aux Avant Avec Ça Car Ce Cela Celui Ces C'est Cet Cette "
        "Chaque Comme Comment Dans De Demain Depuis Des Du Elle Elles En Enfin Ensuite Est Et Hier Ici Il "
        "Ils J'ai Je La Là Le Les Leur Lors L'un Mais Même Mes Mon Ne Non Nos Notre Nous On Or Où Oui Par "
        "Parce Parfois Pendant Personne Peut-être Plus Pour Pourquoi Puis Quand Que Qui Rien Sa Sans Se "
        "Ses Si Son Sont Sur Tous Tout Toutefois Très Tu Un Une Vos Votre Vous Y"
    ),
    "it": (
        "A Adesso Al Alla Allora Anche Ancora C'è Che Chi Ci Come Con Cosa Così Da Dal Del Della Di Dopo "
        "Dove Dunque È E Ecco Era Gli Ha Ho I Ieri Il In Infine Inoltre Io La Le Lei Lo Loro Lui Ma "
        "Mentre Mi Nel Nella Nessuno Noi Non O Oggi Ogni Per Perché Però Poi Prima Quando Quella Quello "
        "Questa Questo Quindi Se Sei Si Sì Sono Su Subito Tu Tutti Tutto Un Una Voi"
    ),
    "pt": (
        "A Agora Ainda Amanhã Antes Ao Aqui As Assim Até Cada Com Como Da De Depois Desde Do E É Ela Elas "
        "Ele Eles Em Então Era Essa Esse Esta Este Eu Foi Há Hoje Isso Isto Já Lá Logo Mais Mas Meu Minha "
        "Muito Na Nada Não Nem Ninguém No Nós O Onde Os Ou Para Pois Por Porque Quando Que Quem Se Sem "
        "Sim Só Sua Também Tem Tudo Um Uma Vai Você"
    ),
    "nl": (
        "Als Daarna Dan Dat De Die Dit Dus Een En Er Het Hij Hier Ik In Is Je Maar Met Na Niemand Nu Of "
        "Om Ook Op Toen We Wij Want Wat Wie Zij Ze"
    ),
    "ru": (
        "А Без Был Была Были В Вот Все Всё Вы Где Да Для До Его Если Ещё За Затем И Из Или К Как Когда "
        "Кто Куда Мы На Не Нет Но Ну О Он Она Они Оно От По Под Потом После При Сейчас Сегодня Так Также "
        "Там То Тогда Ты У Уже Хотя Что Чтобы Это Этот Я"
    ),
}
"""Words that, with a capital, are hardly ever anything but the beginning of a sentence."""

LABELS = {
    "en": (
        "plan vitamin vitamins type grade class group option section appendix hepatitis room gate point "
        "part step letter drive answer choice question column row case model size team world war is am "
        "was are and or than as level phase exhibit route line zone"
    ),
    "de": "plan vitamin typ klasse gruppe option punkt teil und oder als",
    "es": "plan vitamina tipo grupo opción punto y o",
    "fr": "plan vitamine type groupe option point et ou",
}
"""Words after which a single capital is a label or pronoun, not the initial of a name."""

ORDINAL_DOT = words("de da nb nn no fi cs sk sl hr sr hu pl tr et lv is")
"""Languages that write an ordinal as a number with a stop."""
BEFORE_ORDINAL = words(
    "am vom zum zur bis der den dem des die das im ab seit dieser diese dieses jeder jede jedes mein "
    "sein ihr ein kl. heute montag dienstag mittwoch donnerstag freitag samstag sonntag den."
)
AFTER_ORDINAL = words(
    "januar jänner februar märz april mai juni juli august september oktober november dezember "
    "jahrhundert jahrtausend klasse stock etage platz kapitel"
)
AFTER_CLOCK = words(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june "
    "july august september october november december est edt cst cdt mst mdt pst pdt gmt utc bst cet "
    "cest et pt eastern central mountain pacific greenwich"
)
"""What may follow "a.m." with a capital in the same sentence."""
CLOCK_PREPOSITIONS = words("at by around about before after until from since")

SPEECH = words(
    "said asked replied answered cried shouted whispered exclaimed called added yelled screamed "
    "muttered murmured wondered demanded says asks replies insisted began continued"
)
"""Verbs after a quote and a name."""
HESITATIONS = words("um uh er erm hmm hm mm äh ähm euh eh")
"""Before an ellipsis these do not end anything."""
NAMES_WITH_MARKS = words("yahoo jeopardy wham panic oklahoma")
"""Names written with an exclamation mark."""
CONJUNCTIONS = words(
    "and but or so because although while which who that when where if then nor yet und aber oder denn weil dass "
    "wenn sondern y o pero porque que cuando et ou mais car parce quand qui e ma perché che quando mas и но или что"
)
"""Before these an over-long sentence may be cut."""
