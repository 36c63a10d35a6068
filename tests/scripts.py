"""What tests send to pages and get from them: scripts of the stored generators, and many numbers as one text."""

from functools import cache

from gan_lessons import zoo

script = cache(zoo.script)  # made once for all tests: the largest takes a second

# In the page: bytes -> a text, which base64.b64decode reads. Numbers one by one would take long to send.
AS_TEXT = "(bytes => btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join('')))"
