"""The stored generators as scripts for pages, made once for all tests: the largest takes a second."""

from functools import cache

from gan_lessons import zoo

script = cache(zoo.script)
