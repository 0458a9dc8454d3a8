"""The texts of Meta's authentication templates by language: the body, its advice, the footer, the button."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TemplateTexts:
    """One language. `{{1}}` is the code and `{minutes}` the lifetime."""

    body: str
    advice: str
    footer: str
    button: str
    autofill: str


_FILE = Path(__file__).with_suffix(".json")
TEXTS = {
    language: TemplateTexts(**texts)
    for language, texts in json.loads(_FILE.read_text(encoding="utf-8")).items()
}

# Every language that Meta lists ("Supported languages"). No bare pt, no bare zh, Norwegian is nb.
_LISTED = """
    af sq ar ar_EG ar_AE ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr cs da prs_AF nl nl_BE
    en en_GB en_US en_AE en_AU en_CA en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_ZA et fil fi fr
    fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT de_CH el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv
    lt mk ms ml mr nb ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR es_CL es_CO es_CR es_DO es_EC
    es_HN es_MX es_PA es_PE es_ES es_UY sw sv ta te th tr uk ur uz vi zu
"""
LANGUAGES = frozenset(_LISTED.split())

_NEAREST = {"pt_PT": "pt_BR", "zh_TW": "zh_HK"}


def texts_in(language: str) -> TemplateTexts:
    """The texts of a language, or those of a related one, or English."""
    for candidate in (language, _NEAREST.get(language, ""), language.partition("_")[0]):
        if candidate in TEXTS:
            return TEXTS[candidate]
    return TEXTS["en"]
