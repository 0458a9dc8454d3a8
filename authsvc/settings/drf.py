"""DRF and drf-spectacular: JSON, our problem documents, and none of their other features."""

REST_FRAMEWORK: dict[str, object] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],  # bodies are read by api.parsers
    # Clients authenticate in api.authentication; there are no users here.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "api.problems.handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS: dict[str, object] = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "authsvc",
    "VERSION": "1",
    "DESCRIPTION": "Phone login for applications with screens of their own: WhatsApp first, SMS by itself when it does "
    "not arrive. Errors are RFC 9457 problems with a stable `code`.",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "Channel": ["whatsapp", "sms"],
        "DeliveryStatus": ["queued", "accepted", "sent", "expired", "failed", "delivered", "read"],
    },
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "basic": {
                "type": "http",
                "scheme": "basic",
                "description": "client_id and client_secret of a confidential client.",
            },
            "stats_token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A statistics token, made in the admin by staff.",
            },
        }
    },
}
