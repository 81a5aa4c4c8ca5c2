"""Functions that worker processes can import."""

import os
import time


def squared(item):
    return item * item


def refusing(item):
    if item == 3:
        raise ZeroDivisionError("three")
    return item


def dying(item):
    if item == 2:
        os._exit(9)
    return item


def process(_item):
    return os.getpid()


def slow_after_the_first(item):
    if item > 0:
        time.sleep(600)
    return item
