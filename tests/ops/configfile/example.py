"""One file with everything, and changes of it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILE = """
shared:
  whatsapp:
    phone_number_id: "100200300400500"
    business_account_id: "500400300200100"
    access_token: ${WHATSAPP_ACCESS_TOKEN}
    app_secret: app-secret-value
    verify_token: verify-token-value
    template: {name: one_time_password, languages: [en, es, zh_HK]}
  sms:
    provider: twilio
    account_sid: AC00000000000000000000000000000001
    auth_token: auth-token-value
    from: "+15005550006"
projects:
  - slug: acme
    name: Acme
    default: true
    domains: [login.acme.example]
    login_methods: {identifier: mobile, authentication: passwordless, verify_phone_by: whatsapp_or_sms}
    otp: {length: 8, valid_seconds: 600, resend_after_seconds: 45, max_attempts: 4}
    fallback: {enabled: true, wait_seconds: 25}
    countries: {allowed: [HK, GB], pinned: [HK]}
    test_numbers:
      - {phone: "+15005550199", code: "424242", until: 2027-01-31}
    clients:
      - client_id: acme-web
        client_type: public
        redirect_uris: [https://acme.example/callback]
        post_logout_redirect_uris: [https://acme.example/]
"""
SECRETS = ("token-from-environment", "app-secret-value", "verify-token-value", "auth-token-value", "424242")


def swap(old: str, new: str) -> str:
    assert old in FILE
    return FILE.replace(old, new)


def second(**changes: str) -> str:
    block = FILE[FILE.index("  - slug: acme") :]
    for old, new in {
        "slug: acme": "slug: second",
        "login.acme.example": "login.second.example",
        "default: true": "default: false",
        "acme-web": "second-web",
        **changes,
    }.items():
        block = block.replace(old, new)
    return FILE + block
