# SPDX-License-Identifier: Apache-2.0
"""Mail: what happens to changes, told to those whom it concerns, and kept as threads that everybody can read."""
