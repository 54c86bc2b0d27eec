# SPDX-License-Identifier: Apache-2.0
"""What who operates a site asks of its server: what runs now, what is remembered, stores packed again."""
