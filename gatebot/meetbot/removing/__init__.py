# SPDX-License-Identifier: Apache-2.0
"""Lines that must not stay: taken out of logs, minutes, search and journal, with a marker in their place."""
