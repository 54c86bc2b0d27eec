# SPDX-License-Identifier: Apache-2.0
"""Where nodes come from: one file a provider, all behind one Protocol, all idempotent by node id."""
