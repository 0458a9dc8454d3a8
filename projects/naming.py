"""The slug of a project, made from its name."""

from django.utils.text import slugify

from projects.models import Project

_LONGEST = 50


def free_slug(name: str) -> str:
    """`acme`, or `acme-2` where that is taken; `project` for a name without a letter that an address can have."""
    wanted = slugify(name)[:_LONGEST].strip("-_") or "project"
    taken = set(Project.objects.filter(slug__startswith=wanted[:40]).values_list("slug", flat=True))
    nth, slug = 1, wanted
    while slug in taken:
        nth += 1
        ending = f"-{nth}"
        slug = wanted[: _LONGEST - len(ending)] + ending
    return slug
