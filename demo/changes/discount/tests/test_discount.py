import unittest

from shop import discount


class DiscountTest(unittest.TestCase):
    def test_ten_percent_off_bread(self):
        self.assertEqual(discount.discounted("bread"), 288)


if __name__ == "__main__":
    unittest.main()
