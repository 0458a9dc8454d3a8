"""What the pages of the admin may load and run."""

from django.conf import settings
from django.utils.csp import CSP

# Alpine evaluates expressions in attributes, and unfold sets styles on elements. Everything still comes from this
# host, and nothing may frame the admin.
ADMIN_CSP: dict[str, list[str]] = {
    **settings.SECURE_CSP,  # type: ignore[dict-item] # the setting is typed as any dict
    "script-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}
