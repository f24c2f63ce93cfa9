"""What words mean. Genres are ours (MovieLens'), languages ISO 639-1, countries ISO 3166-1."""

from __future__ import annotations

GENRES: dict[str, tuple[str, ...]] = {
    word: genres
    for words, genres in {
        "romantic comedy|romantic comedies|romcom|romcoms|rom-com|rom-coms|rom com|rom coms": (
            "Romance",
            "Comedy",
        ),
        "science fiction|sci-fi|sci fi|scifi|sf": ("Sci-Fi",),
        "film noir|films noirs|film-noir|noir|noirs": ("Film-Noir",),
        "action": ("Action",),
        "adventure|adventures": ("Adventure",),
        "animation|animations|animated|cartoon|cartoons": ("Animation",),
        "children's|childrens|kids|kids'|family": ("Children",),
        "comedy|comedies": ("Comedy",),
        "crime": ("Crime",),
        "documentary|documentaries|docs": ("Documentary",),
        "drama|dramas": ("Drama",),
        "fantasy|fantasies": ("Fantasy",),
        "horror|horrors": ("Horror",),
        "musical|musicals": ("Musical",),
        "mystery|mysteries|whodunit|whodunits|whodunnit": ("Mystery",),
        "romance|romances|romantic": ("Romance",),
        "thriller|thrillers": ("Thriller",),
        "war": ("War",),
        "western|westerns": ("Western",),
    }.items()
    for word in words.split("|")
}
# These are genres only beside a word for film or another genre: "crime boss", "family secret".
WEAK_GENRES = frozenset({"crime", "war", "family", "kids", "kids'", "action", "romantic", "sf"})

# How things are; soft, since no film is "a scary" in any list.
QUALITIES: dict[str, str] = {
    word: genre
    for genre, words in {
        "Comedy": "funny humor humour jokes laughs comic comedic silly",
        "Horror": "scary gory gore creepy frightening bloody scares blood",
        "Romance": "romantic love",
        "Action": "violent violence explosions fights fighting",
        "Thriller": "suspense suspenseful tense",
        "Mystery": "mysterious",
        "Fantasy": "magic magical",
        "Musical": "singing songs",
        "Drama": "dramatic sad melodrama",
    }.items()
    for word in words.split()
}
COMPARATIVES: dict[str, str] = {
    "funnier": "Comedy",
    "scarier": "Horror",
    "gorier": "Horror",
    "creepier": "Horror",
    "bloodier": "Horror",
    "sillier": "Comedy",
}

FILM_NOUNS = (
    r"(?:films?|movies?|flicks?|pictures?|cinema|features?|epics?|classics?|pics?|watch|stories|story|"
    r"sagas?|titles?)"
)

LANGUAGES: dict[str, str] = {
    "arabic": "ar",
    "bengali": "bn",
    "cantonese": "cn",
    "chinese": "zh",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "icelandic": "is",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "malayalam": "ml",
    "mandarin": "zh",
    "norwegian": "no",
    "persian": "fa",
    "farsi": "fa",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "serbian": "sr",
    "spanish": "es",
    "swedish": "sv",
    "tamil": "ta",
    "telugu": "te",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
}
# Languages that are no nationality: "a Hindi film" is in Hindi.
LANGUAGE_ONLY = frozenset(
    {"arabic", "bengali", "cantonese", "hebrew", "hindi", "malayalam", "mandarin", "persian"}
    | {"farsi", "tamil", "telugu", "english"}
)

DEMONYMS: dict[str, str] = {
    "american": "US",
    "argentine": "AR",
    "argentinian": "AR",
    "australian": "AU",
    "austrian": "AT",
    "belgian": "BE",
    "brazilian": "BR",
    "british": "GB",
    "canadian": "CA",
    "chilean": "CL",
    "chinese": "CN",
    "colombian": "CO",
    "cuban": "CU",
    "czech": "CZ",
    "danish": "DK",
    "dutch": "NL",
    "egyptian": "EG",
    "finnish": "FI",
    "french": "FR",
    "german": "DE",
    "greek": "GR",
    "hungarian": "HU",
    "icelandic": "IS",
    "indian": "IN",
    "indonesian": "ID",
    "iranian": "IR",
    "irish": "IE",
    "israeli": "IL",
    "italian": "IT",
    "japanese": "JP",
    "korean": "KR",
    "south korean": "KR",
    "mexican": "MX",
    "norwegian": "NO",
    "new zealand": "NZ",
    "polish": "PL",
    "portuguese": "PT",
    "romanian": "RO",
    "russian": "RU",
    "serbian": "RS",
    "soviet": "SU",
    "spanish": "ES",
    "swedish": "SE",
    "swiss": "CH",
    "taiwanese": "TW",
    "thai": "TH",
    "turkish": "TR",
    "ukrainian": "UA",
    "hong kong": "HK",
}
COUNTRIES: dict[str, str] = {
    "argentina": "AR",
    "australia": "AU",
    "austria": "AT",
    "belgium": "BE",
    "brazil": "BR",
    "britain": "GB",
    "great britain": "GB",
    "the uk": "GB",
    "uk": "GB",
    "the united kingdom": "GB",
    "england": "GB",
    "canada": "CA",
    "chile": "CL",
    "china": "CN",
    "colombia": "CO",
    "cuba": "CU",
    "denmark": "DK",
    "egypt": "EG",
    "finland": "FI",
    "france": "FR",
    "germany": "DE",
    "greece": "GR",
    "hong kong": "HK",
    "hungary": "HU",
    "iceland": "IS",
    "india": "IN",
    "indonesia": "ID",
    "iran": "IR",
    "ireland": "IE",
    "israel": "IL",
    "italy": "IT",
    "japan": "JP",
    "korea": "KR",
    "south korea": "KR",
    "mexico": "MX",
    "the netherlands": "NL",
    "netherlands": "NL",
    "new zealand": "NZ",
    "norway": "NO",
    "poland": "PL",
    "portugal": "PT",
    "romania": "RO",
    "russia": "RU",
    "spain": "ES",
    "sweden": "SE",
    "switzerland": "CH",
    "taiwan": "TW",
    "thailand": "TH",
    "turkey": "TR",
    "ukraine": "UA",
    "the soviet union": "SU",
    "the us": "US",
    "the usa": "US",
    "usa": "US",
    "the united states": "US",
    "america": "US",
}

# From the strictest audience to the widest; what stands outside (NR, foreign marks) is unknown.
CERTIFICATIONS = ("G", "PG", "PG-13", "R", "NC-17")

DECADES: dict[str, int] = {
    "twenties": 1920,
    "thirties": 1930,
    "forties": 1940,
    "fifties": 1950,
    "sixties": 1960,
    "seventies": 1970,
    "eighties": 1980,
    "nineties": 1990,
    "noughties": 2000,
}
NUMBERS: dict[str, float] = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
}

# Words that may stand before the kind of film wanted without being about it.
_LIGHT = """
a an the some any good great best nice really very something anything show me give find i want
to watch wanna would like looking look for please recommend suggest in mood of and or but is it
s that are which with old new classic famous popular top underrated smart clever dark black
light funny scary short long quick cheesy epic cool feel-good indie independent silent obscure
acclaimed beautiful weird cult intense slow sad happy romantic modern recent early late mid
spaghetti psychological political supernatural historical gritty violent gentle cosy cozy quiet
heartwarming twisty mind-bending erotic gothic steamy tense atmospheric dystopian heist
superhero spy zombie vampire sports sport courtroom prison slasher martial arts samurai coming
age coming-of-age buddy road gangster disaster stop-motion satirical my kids we us tonight our
need from only more not no non- can could you teen teenage adult tv must-see award-winning
oscar-winning highly rated low-budget big-budget short-ish lesser-known so-bad-it's-good what
have got see maybe perhaps one two few couple other else suspenseful moody visually stunning
slapstick absurd surreal whimsical biographical
"""
LIGHT = frozenset(_LIGHT.split())
# What may follow a kind of film: the rest of the sentence, not a noun that it describes.
FOLLOWS = (
    r"(?=\s*(?:$|[,.;:!?&/+¤)]|(?:about|with|without|from|in|on|set|starring|featuring|by|directed|made|"
    r"released|where|that|which|who|whose|under|over|for|but|and|or|like|similar|not|no|less|more|"
    r"than|before|after|between|rated|shorter|longer|i|to|please|tonight|based|involving|of|at|"
    r"up|max|nothing|except|somewhat|only|suitable|safe|is|are|written|since|until)\b))"
)
