# SPDX-License-Identifier: Apache-2.0
"""Taking part in a channel from its page, for people without an IRC client."""
