import unittest
import zlib

from native import adler32


class LargeTest(unittest.TestCase):
    def test_a_megabyte_agrees_with_zlib(self):
        data = bytes(range(256)) * 4096
        self.assertEqual(adler32(data), zlib.adler32(data))
