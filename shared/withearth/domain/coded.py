"""Codes that explain themselves."""

from enum import StrEnum
from typing import Self


class Coded(StrEnum):
    """A code with the sentence that explains it to a person: `NAME = "NAME", "The sentence."`."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Self:
        """A member that is its code, and carries its sentence."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member
