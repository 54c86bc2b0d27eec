import unittest

from shop import cart


class CartTest(unittest.TestCase):
    def test_an_empty_basket_costs_nothing(self):
        self.assertEqual(cart.total([]), 0)

    def test_a_basket_costs_the_sum_of_its_pieces(self):
        self.assertEqual(cart.total(["bread", "apple", "apple"]), 440)


if __name__ == "__main__":
    unittest.main()
