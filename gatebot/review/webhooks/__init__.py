# SPDX-License-Identifier: Apache-2.0
"""Webhooks: what `gerrit stream-events` tells is POSTed to addresses of the settings, signed, in order, tried again."""
