"""Receipts for people."""

from shop import cart, tax


def receipt(names):
    """The text of a receipt."""
    contained = tax.contained(names) / 100
    return f"{len(names)} pieces, {cart.total(names) / 100:.2f} in all, {contained:.2f} of it tax"
