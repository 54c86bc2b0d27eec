"""What is in the basket."""

from shop import prices


def total(names):
    """The sum of a basket, in cents."""
    return sum(prices.price(name) for name in names)
