# SPDX-License-Identifier: Apache-2.0
"""Dashboards of projects, kept in git on `refs/meta/dashboards/*` as Gerrit keeps them: over REST, and as pages."""
