# SPDX-License-Identifier: Apache-2.0
"""One tree of errors; a class exists only where some caller acts on it.

    GatebotError
      + NotFound            nothing there, or nothing that the asker may see
      + Gone                it was there, and was taken away on purpose
      + Refused             understood, and not allowed now: the state or the rules say no
        - NotPermitted      the asker lacks a permission
        - Conflict          somebody else was faster, or the state does not fit
        - TooManyAttempts   wait before trying again
      + Invalid             the input cannot be understood
        - TooLarge          a limit was passed
        - Unprocessable     readable, and it names an account or branch that is not there
      + Unauthenticated     who is asking is not known
      + Unavailable         a part that is needed is not there now; trying again may help
      + SettingsError       the site's settings cannot be used

Each carries a `Reason` when a sentence in the reader's language exists; the docstring is the
default message, so no error is ever empty. `http_status` is the one map to HTTP.
"""

from __future__ import annotations

from .reasons import Reason


class GatebotError(Exception):
    """Something did not work."""

    def __init__(self, message: str | None = None, *, reason: Reason | None = None) -> None:
        """`message` is for people, in English; `reason` is the same for `words.py`, and wins when both are given."""
        self.reason = reason
        super().__init__(message or (reason.kind if reason else (type(self).__doc__ or "").strip()))


class NotFound(GatebotError):
    """Not found."""


class Gone(GatebotError):
    """It is not kept any more."""


class Refused(GatebotError):
    """Refused."""


class NotPermitted(Refused):
    """Not permitted."""


class Conflict(Refused):
    """The state changed meanwhile or does not fit."""


class TooManyAttempts(Refused):
    """Too many attempts; try again later."""


class Invalid(GatebotError):
    """The input cannot be understood."""


class TooLarge(Invalid):
    """The input is larger than this site allows."""


class Unprocessable(Invalid):
    """The request names something that is not there."""


class Unauthenticated(GatebotError):
    """Authentication required."""


class Unavailable(GatebotError):
    """A part of the site is not available now."""


class SettingsError(GatebotError):
    """The settings of the site cannot be used."""


_STATUS: tuple[tuple[type[GatebotError], int], ...] = (
    (NotFound, 404),
    (Gone, 410),
    (NotPermitted, 403),
    (Conflict, 409),
    (TooManyAttempts, 429),
    (Refused, 409),
    (TooLarge, 413),
    (Unprocessable, 422),
    (Invalid, 400),
    (Unauthenticated, 401),
    (Unavailable, 503),
)


def http_status(error: BaseException) -> int:
    """The HTTP status of an error: Gerrit's choices where Gerrit has one; 500 for everything unknown."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
