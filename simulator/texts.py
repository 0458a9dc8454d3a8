"""The words of Meta's authentication templates by language: the body, its advice, the footer, the button."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """One language. `{{1}}` is the code and `{minutes}` the lifetime."""

    body: str
    advice: str
    footer: str
    button: str
    autofill: str


WORDINGS = {
    "en": Wording(
        "*{{1}}* is your verification code.",
        "For your security, do not share this code.",
        "This code expires in {minutes} minutes.",
        "Copy code",
        "Autofill",
    ),
    "es": Wording(
        "Tu código de verificación es *{{1}}*.",
        "Por tu seguridad, no lo compartas.",
        "Este código caduca en {minutes} minutos.",
        "Copiar código",
        "Autocompletar",
    ),
    "pt_BR": Wording(
        "Seu código de verificação é *{{1}}*.",
        "Para sua segurança, não o compartilhe.",
        "Este código expira em {minutes} minutos.",
        "Copiar código",
        "Preencher",
    ),
    "fr": Wording(
        "Votre code de vérification est *{{1}}*.",
        "Pour votre sécurité, ne le partagez pas.",
        "Ce code expire dans {minutes} minutes.",
        "Copier le code",
        "Remplir",
    ),
    "de": Wording(
        "*{{1}}* ist dein Verifizierungscode.",
        "Teile diesen Code zu deiner Sicherheit nicht.",
        "Dieser Code läuft in {minutes} Minuten ab.",
        "Code kopieren",
        "Ausfüllen",
    ),
    "it": Wording(
        "*{{1}}* è il tuo codice di verifica.",
        "Per la tua sicurezza, non condividerlo.",
        "Questo codice scade tra {minutes} minuti.",
        "Copia codice",
        "Compila",
    ),
    "ar": Wording(
        "رمز التحقق الخاص بك هو *{{1}}*.",
        "للحفاظ على أمانك، لا تشارك هذا الرمز.",
        "تنتهي صلاحية هذا الرمز خلال {minutes} دقائق.",
        "نسخ الرمز",
        "ملء تلقائي",
    ),
    "hi": Wording(
        "*{{1}}* आपका सत्यापन कोड है।",
        "अपनी सुरक्षा के लिए इस कोड को साझा न करें।",
        "यह कोड {minutes} मिनट में समाप्त हो जाएगा।",
        "कोड कॉपी करें",
        "ऑटोफ़िल",
    ),
    "id": Wording(
        "*{{1}}* adalah kode verifikasi Anda.",
        "Demi keamanan, jangan bagikan kode ini.",
        "Kode ini kedaluwarsa dalam {minutes} menit.",
        "Salin kode",
        "Isi otomatis",
    ),
    "tr": Wording(
        "Doğrulama kodunuz: *{{1}}*.",
        "Güvenliğiniz için bu kodu paylaşmayın.",
        "Bu kodun süresi {minutes} dakika içinde dolacak.",
        "Kodu kopyala",
        "Otomatik doldur",
    ),
    "ru": Wording(
        "*{{1}}* — ваш код подтверждения.",
        "В целях безопасности никому его не сообщайте.",
        "Срок действия кода истекает через {minutes} мин.",
        "Копировать код",
        "Автозаполнение",
    ),
    "zh_HK": Wording(
        "你的驗證碼是 *{{1}}*。",
        "為保障安全，請勿分享此驗證碼。",
        "此驗證碼將在 {minutes} 分鐘後失效。",
        "複製驗證碼",
        "自動填入",
    ),
    "zh_CN": Wording(
        "您的验证码是 *{{1}}*。",
        "为了您的安全，请勿分享此验证码。",
        "此验证码将在 {minutes} 分钟后失效。",
        "复制验证码",
        "自动填充",
    ),
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


def wording(language: str) -> Wording:
    """The words of a language; English stands in for those that nobody has written here."""
    for candidate in (language, _NEAREST.get(language, ""), language.partition("_")[0]):
        if candidate in WORDINGS:
            return WORDINGS[candidate]
    return WORDINGS["en"]
