"""A Django project whose users log in with authsvc, by mozilla-django-oidc."""

import os
from pathlib import Path

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
BASE = f"http://localhost:{os.environ.get('PORT', '8001')}"

OIDC_RP_CLIENT_ID = os.environ.get("CLIENT_ID", "example-django")
OIDC_RP_CLIENT_SECRET = os.environ.get("CLIENT_SECRET", "example-django-secret-not-for-production")
OIDC_RP_SCOPES = "openid phone"
OIDC_RP_SIGN_ALGO = "ES256"
OIDC_USE_PKCE = True
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{ISSUER}/oauth2/authorize/"
OIDC_OP_TOKEN_ENDPOINT = f"{ISSUER}/oauth2/token/"
OIDC_OP_USER_ENDPOINT = f"{ISSUER}/oauth2/userinfo/"
OIDC_OP_JWKS_ENDPOINT = f"{ISSUER}/.well-known/jwks.json"
OIDC_OP_LOGOUT_URL_METHOD = "shop.end_session_url"
OIDC_STORE_ID_TOKEN = True
OIDC_TIMEOUT = 10

SECRET_KEY = os.environ.get("SECRET_KEY", "for-the-demo-only")
DEBUG = True
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "shop"
# Cookies are shared by all ports of localhost, so each application there needs names of its own.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "example_django", "example_django_csrf"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = ["shop.PhoneBackend"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "mozilla_django_oidc",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mozilla_django_oidc.middleware.SessionRefresh",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(__file__).parent / "db.sqlite3"}
}
