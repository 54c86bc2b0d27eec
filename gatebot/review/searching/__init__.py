# SPDX-License-Identifier: Apache-2.0
"""Changes on the page where everything is searched."""
