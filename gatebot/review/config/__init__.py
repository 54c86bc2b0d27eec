# SPDX-License-Identifier: Apache-2.0
"""The configuration that every project keeps on `refs/meta/config`: `project.config` and `groups`.

Gerrit's files in git's own syntax. `syntax.py` reads any such text, `whole.py` makes one value of both
files with everything that is wrong with them; `writing.py` writes what `access.py` decides by.
"""
