"""Value added tax."""

from shop import cart


def contained(names, percent=10):
    """The tax that the total of a basket contains, in whole cents."""
    return cart.total(names) * percent // (100 + percent)
