"""A credential that does not show itself: text, repr, format, log lines, pickles and tracebacks get three stars.

Only the sign-in of a target calls `reveal`, at the moment the request is built.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

HIDDEN = "***"


class Secret:
    """A text that only `reveal` gives away."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        """Keep `text` out of sight."""
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self.__text

    def __bool__(self) -> bool:
        """Tell whether there is anything to hide."""
        return bool(self.__text)

    def __str__(self) -> str:
        """Return three stars."""
        return HIDDEN

    def __repr__(self) -> str:
        """Return three stars."""
        return HIDDEN

    def __format__(self, _: str) -> str:
        """Return three stars, whatever the format asks for."""
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        """Agree with `==`."""
        return hash(("secret", self.__text))

    def __copy__(self) -> Secret:
        """Return the same object: a value needs no copy."""
        return self

    def __deepcopy__(self, _: dict[int, object]) -> Secret:
        """Return the same object: a value needs no copy."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: a pickle is a file."""
        message = "a secret is not written down"
        raise TypeError(message)
