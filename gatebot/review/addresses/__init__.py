# SPDX-License-Identifier: Apache-2.0
"""Addresses of Gerrit's own pages, that people paste, and where they lead here."""
