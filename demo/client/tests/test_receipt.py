import unittest

from till import receipt


class ReceiptTest(unittest.TestCase):
    def test_a_receipt_says_how_many_and_how_much(self):
        self.assertEqual(receipt.receipt(["bread", "milk"]), "2 pieces, 4.65 in all")


if __name__ == "__main__":
    unittest.main()
