# SPDX-License-Identifier: Apache-2.0
"""Agendas of meetings, which people write on the site; every version is kept."""
