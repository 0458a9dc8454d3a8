"""Why an act on a person is refused."""

from core.errors import DomainError


class PersonGone(DomainError):
    """No such person any more: erased, merged, or their number changed while this was asked for."""

    code = "person_gone"


class NumberTaken(DomainError):
    """Another user of the project has the number."""

    code = "number_taken"


class SameNumber(DomainError):
    """The person has this number already."""

    code = "same_number"


class SamePerson(DomainError):
    """A user cannot be merged with itself."""

    code = "same_person"


class OtherProject(DomainError):
    """The two users belong to different projects."""

    code = "other_project"
