# SPDX-License-Identifier: Apache-2.0
"""What a hostile job may try, tried for real on every kind of sandbox: it is contained, and the machine is unharmed."""
