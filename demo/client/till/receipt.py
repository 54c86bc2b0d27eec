"""Receipts for people."""

from shop import cart


def receipt(names):
    """The text of a receipt."""
    return f"{len(names)} pieces, {cart.total(names) / 100:.2f} in all"
