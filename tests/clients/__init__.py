# SPDX-License-Identifier: Apache-2.0
"""Clients that other people wrote, unmodified, against a whole site."""
