"""Language tags as programs spell them, and which of the languages at hand a reader gets. Pure.

A hint about language never stops anything: BCP 47 with extensions and private use, POSIX and Java forms are read,
and whatever is none of them says nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from babel.core import get_global

_LONGEST_TAG = 100  # what names a language, a script and a region stands in front
_PLAIN = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z]{4})?(?:[_-](?:[A-Za-z]{2}|[0-9]{3}))?\Z")
# Beside CLDR's own: languages that are written as another one, with the script and region that come with it.
_WRITTEN_AS = {
    "no": "nb", "sh": "sr_Latn", "yue": "zh_Hant", "wuu": "zh", "gan": "zh", "hak": "zh", "hsn": "zh", "nan": "zh",
    "arz": "ar", "apc": "ar", "ary": "ar", "acm": "ar", "nn": "nb",
}  # fmt: skip
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl", "arabic": "Arab", "chs": "Hans", "cht": "Hant"}
_HANT_REGIONS = frozenset({"HK", "TW", "MO"})
# Languages whose readers read both of these scripts.
_READ_TOGETHER = {"zh": {"Hans", "Hant"}, **{name: {"Latn", "Cyrl"} for name in ("sr", "bs", "uz")}}
_ENGLISH = ("", "US", "GB")


@dataclass(frozen=True, kw_only=True)
class Tag:
    language: str  # ISO 639, two letters where there are
    script: str  # ISO 15924; the usual one of language and region unless it is named
    region: str  # ISO 3166 or UN M.49, "" when none is named


def read(text: str) -> Tag | None:
    """The tag that a hint means; None when it means none."""
    return _read(text[:_LONGEST_TAG])


@lru_cache(maxsize=1024)
def _read(text: str) -> Tag | None:
    base, _, modifier = re.split(r"[,;\s]", text.strip() + ";")[0].partition("@")
    base = base.partition(".")[0]  # POSIX: de_DE.UTF-8@euro
    first, *rest = re.split(r"[_-]#?", base)
    if not (2 <= len(first) <= 3 and first.isascii() and first.isalpha()):
        return None
    language, script, region = _language(first)
    for part in rest:
        if len(part) == 1:  # extensions and private use follow: in en-u-fw-mon "fw" is no region
            break
        if len(part) == 3 and part.isalpha() and language == "zh":
            script = _language(part)[1] or script  # zh-yue
        if len(part) == 4 and part.isalpha():
            script = part.title()
        elif (len(part) == 2 and part.isalpha()) or (len(part) == 3 and part.isdigit()):
            region = part.upper()
        script = _SCRIPTS.get(part.lower(), script)
    script = _SCRIPTS.get(modifier.lower(), script)
    return Tag(language=language, script=script or _usual_script(language, region), region=region)


def clean(text: str) -> str:
    """A short tag that says what the hint says, spelled as it came where that is short; "" when it says nothing."""
    return text if _PLAIN.match(text) and read(text) else canonical(text)


def canonical(text: str) -> str:
    """The tag that a hint means, as BCP 47 spells it; "" when it means none."""
    tag = read(text)
    if tag is None:
        return ""
    usual = tag.language != "zh" and tag.script == _usual_script(tag.language, tag.region)
    return "-".join(part for part in (tag.language, "" if usual else tag.script, tag.region) if part)


def _language(subtag: str) -> tuple[str, str, str]:
    written = _WRITTEN_AS.get(subtag.lower()) or get_global("language_aliases").get(
        subtag.lower(), subtag.lower()
    )
    language, *rest = str(written).split("_")
    script = next((part for part in rest if len(part) == 4), "")
    return _WRITTEN_AS.get(language, language), script, next((part for part in rest if len(part) == 2), "")


def _usual_script(language: str, region: str) -> str:
    if language == "zh":  # where the pages of CLDR and the streets differ: Malaysia writes simplified
        return "Hant" if region in _HANT_REGIONS else "Hans"
    likely = get_global("likely_subtags")
    parts = str(likely.get(f"{language}_{region}") or likely.get(language) or "").split("_")
    return parts[1] if len(parts) > 1 else ""


def _family(tag: Tag, region: str) -> str:
    """Regions that write alike, by CLDR: es_AR and es_MX (Latin America), en_AU and en_GB, zh_MO and zh_HK."""
    script = tag.script if tag.language == "zh" else ""
    name = "_".join(part for part in (tag.language, script, region) if part)
    return str(get_global("parent_exceptions").get(name, name))


def likely_region(language: str, script: str) -> str:
    """The region where most readers of a language in this script live, by CLDR; "" when unknown."""
    likely = get_global("likely_subtags")
    return str(likely.get(f"{language}_{script}") or likely.get(language) or "").rpartition("_")[2]


def language_order(requested: str, available: Sequence[str]) -> list[str]:
    """All of `available`, the best for someone who asked for `requested` first; each spelled as it stands there.

    Exact; then the same language without a region, of a region that writes alike, of any; in another script only where
    its readers read both; English; then the rest as listed.
    """
    wanted = read(requested)
    family = _family(wanted, wanted.region or likely_region(wanted.language, wanted.script)) if wanted else ""

    def rank(name: str) -> int:
        tag = read(name)
        if tag is None:
            return 9
        if wanted and (tag.language, tag.script) == (wanted.language, wanted.script):
            if tag.region in (wanted.region, ""):
                return 0 if tag.region == wanted.region else 1
            return 2 if _family(tag, tag.region) == family else 3
        scripts = {tag.script, wanted.script} if wanted and tag.language == wanted.language else set()
        if scripts and scripts <= _READ_TOGETHER.get(tag.language, set()):
            return 4
        if tag.language == "en":
            return 5 + (_ENGLISH.index(tag.region) if tag.region in _ENGLISH else len(_ENGLISH))
        return 9

    return sorted(dict.fromkeys(available), key=rank)


def best_language(requested: str, available: Sequence[str]) -> str:
    """The first of `language_order`. Raises ValueError when there is none to choose from."""
    if not available:
        raise ValueError("no language to choose from")
    return language_order(requested, available)[0]
