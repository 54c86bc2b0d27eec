import unittest

from till import receipt


class ReceiptTest(unittest.TestCase):
    def test_a_receipt_says_how_many_how_much_and_the_tax(self):
        self.assertEqual(receipt.receipt(["bread", "milk"]), "2 pieces, 4.65 in all, 0.42 of it tax")


if __name__ == "__main__":
    unittest.main()
