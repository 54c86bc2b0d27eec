import unittest
import zlib

from native import adler32


class AdlerTest(unittest.TestCase):
    def test_the_empty_text_has_the_checksum_one(self):
        self.assertEqual(adler32(b""), 1)

    def test_it_agrees_with_zlib(self):
        self.assertEqual(adler32(b"Wikipedia"), zlib.adler32(b"Wikipedia"))
