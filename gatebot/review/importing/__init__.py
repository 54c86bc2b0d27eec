# SPDX-License-Identifier: Apache-2.0
"""Moving from a Gerrit: what it has, by its REST and git, into the rows and repositories of this site."""
