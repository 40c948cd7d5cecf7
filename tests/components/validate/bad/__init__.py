"""Broken data sets, each made from a valid one of three rows, with the exact error that a user sees."""

from tests.components.validate.bad import files, folders, rows

BAD = files.BAD | rows.BAD | folders.BAD
"""Broken data sets by what is wrong with them."""
