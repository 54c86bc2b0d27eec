# SPDX-License-Identifier: Apache-2.0
"""Stand-ins that the tests share; one contract test runs on each fake and on the real thing."""
