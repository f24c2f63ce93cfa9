"""Names of languages and countries for codes, in the reader's language.

English ones are ours and Django's; the others are Unicode's (CLDR, through Babel).
"""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from django.conf.locale import LANG_INFO
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

# States that are gone, and films without words: Unicode has no names for TMDB's codes of these.
_NOT_IN_CLDR: dict[str, str | Promise] = {
    "SU": gettext_lazy("Soviet Union"),
    "XC": gettext_lazy("Czechoslovakia"),
    "XG": gettext_lazy("East Germany"),
    "YU": gettext_lazy("Yugoslavia"),
    "xx": gettext_lazy("No language"),
    "cn": gettext_lazy("Cantonese"),
}

# Where TMDB's codes or ours differ from Django's table.
_LANGUAGES = {
    **{"zh": "Chinese", "cn": "Cantonese", "no": "Norwegian", "tl": "Tagalog", "wo": "Wolof"},
    **{"sh": "Serbo-Croatian", "xx": "No language", "iu": "Inuktitut", "bm": "Bambara"},
    **{"ku": "Kurdish", "yi": "Yiddish", "la": "Latin", "am": "Amharic", "dz": "Dzongkha"},
    **{"jv": "Javanese", "ln": "Lingala", "ps": "Pashto", "qu": "Quechua", "mi": "Maori"},
}
_COUNTRIES = {
    **{"AE": "United Arab Emirates", "AF": "Afghanistan", "AR": "Argentina", "AT": "Austria"},
    **{"AU": "Australia", "BA": "Bosnia and Herzegovina", "BD": "Bangladesh", "BE": "Belgium"},
    **{"BF": "Burkina Faso", "BG": "Bulgaria", "BO": "Bolivia", "BR": "Brazil", "BT": "Bhutan"},
    **{"CA": "Canada", "CD": "Congo", "CH": "Switzerland", "CI": "Ivory Coast", "CL": "Chile"},
    **{"CM": "Cameroon", "CN": "China", "CO": "Colombia", "CU": "Cuba", "CZ": "Czechia"},
    **{"DE": "Germany", "DK": "Denmark", "DZ": "Algeria", "EC": "Ecuador", "EE": "Estonia"},
    **{"EG": "Egypt", "ES": "Spain", "ET": "Ethiopia", "FI": "Finland", "FR": "France"},
    **{"GB": "United Kingdom", "GE": "Georgia", "GR": "Greece", "HK": "Hong Kong", "HR": "Croatia"},
    **{"HU": "Hungary", "ID": "Indonesia", "IE": "Ireland", "IL": "Israel", "IN": "India"},
    **{"IR": "Iran", "IS": "Iceland", "IT": "Italy", "JP": "Japan", "KE": "Kenya"},
    **{
        "KH": "Cambodia",
        "KR": "South Korea",
        "KZ": "Kazakhstan",
        "LB": "Lebanon",
        "LK": "Sri Lanka",
    },
    **{
        "LT": "Lithuania",
        "LU": "Luxembourg",
        "LV": "Latvia",
        "MA": "Morocco",
        "MK": "North Macedonia",
    },
    **{"ML": "Mali", "MN": "Mongolia", "MX": "Mexico", "MY": "Malaysia", "NG": "Nigeria"},
    **{"NL": "Netherlands", "NO": "Norway", "NP": "Nepal", "NZ": "New Zealand", "PE": "Peru"},
    **{"PH": "Philippines", "PK": "Pakistan", "PL": "Poland", "PS": "Palestine", "PT": "Portugal"},
    **{"QA": "Qatar", "RO": "Romania", "RS": "Serbia", "RU": "Russia", "SA": "Saudi Arabia"},
    **{"SE": "Sweden", "SG": "Singapore", "SI": "Slovenia", "SK": "Slovakia", "SN": "Senegal"},
    **{"SU": "Soviet Union", "SY": "Syria", "TD": "Chad", "TH": "Thailand", "TN": "Tunisia"},
    **{"TR": "Turkey", "TW": "Taiwan", "UA": "Ukraine", "US": "United States", "UY": "Uruguay"},
    **{"VE": "Venezuela", "VN": "Vietnam", "XC": "Czechoslovakia", "XG": "East Germany"},
    **{"YU": "Yugoslavia", "ZA": "South Africa", "ZM": "Zambia", "ZW": "Zimbabwe"},
}


def language_name(code: str) -> str:
    """ "French" for "fr"; the code itself where nobody told us its name."""
    elsewhere = _cldr()
    if code in _NOT_IN_CLDR:
        return str(_NOT_IN_CLDR[code])
    if elsewhere is not None and code in elsewhere.languages:
        return str(elsewhere.languages[code])
    if code in _LANGUAGES:
        return _LANGUAGES[code]
    info = LANG_INFO.get(code, {})
    return str(info.get("name", code))


def country_name(code: str) -> str:
    """ "Japan" for "JP"; the code itself where nobody told us its name."""
    elsewhere = _cldr()
    if code in _NOT_IN_CLDR:
        return str(_NOT_IN_CLDR[code])
    if elsewhere is not None and code in elsewhere.territories:
        return str(elsewhere.territories[code])
    return _COUNTRIES.get(code, code)


def _cldr() -> Locale | None:
    """Unicode's names in the reader's language; None for English, whose names are ours."""
    language = (get_language() or "en").partition("-")[0]
    return None if language == "en" else _locale(language)


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    return Locale.parse(language)
