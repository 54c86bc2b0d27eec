import unittest

from shop import tax


class TaxTest(unittest.TestCase):
    def test_the_tax_in_a_loaf_of_bread(self):
        self.assertEqual(tax.contained(["bread"]), 29)


if __name__ == "__main__":
    unittest.main()
