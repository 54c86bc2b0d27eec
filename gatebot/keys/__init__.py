# SPDX-License-Identifier: Apache-2.0
"""Keys: those of projects, for which secrets are encrypted, and the site's own, which seals what the database keeps.

`Keys` is what others import: the key pairs of projects, made when they are first asked for. The formats are
`oaep.py` (Zuul's) and `boxes.py` (ours, for new secrets), `site_key.py` seals for the database, `exports.py` reads and
writes what `zuul-admin export-keys` does. Nothing here prints or logs a private key.
"""

from __future__ import annotations

from .pairs import Keys, key_of_site
from .site_key import SiteKey

__all__ = ["Keys", "SiteKey", "key_of_site"]
