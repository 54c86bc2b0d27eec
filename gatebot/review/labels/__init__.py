# SPDX-License-Identifier: Apache-2.0
"""Labels, copy conditions and submit requirements: Gerrit's rules of voting, pure."""
