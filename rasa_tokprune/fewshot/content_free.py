"""Messages that say nothing: what is nearer to one of them than to any example is no intent."""

from __future__ import annotations

# Keyboard mash, repeated letters, punctuation, fillers, single letters, digits; of own making, and
# without those that may mean yes or no. The bot's own encoder embeds them at training.
CONTENT_FREE_TEXTS = (
    "sdfg", "dkfjgh", "qweqwe", "rtzuio", "cvbncvbn", "jhgjhg", "lkj", "wer", "oiuoiu",
    "xcvbxcvb", "fdsa fdsa", "kjsdhf", "tzrtzr", "bnmbnm", "yxcv", "gfd hjk", "eoriut", "ajsdkl",
    "nbvc", "pok pok", "ppppp", "ssssssss", "eeee", "xxxxxx", "wwwwwww", "uuuuuuuuuu",
    "?", "!!", "..", "-- --", ";;", "!?!", "....", "*", "_", "\\", ":", "$$", "&", "+",
    "er", "uhm", "hmmmm", "mm", "pff", "huh", "uh uh", "tsk", "hm",
    "c", "f", "m", "p", "s", "t",
    "2", "9", "11", "303", "777", "2468", "10000", "5.5",
)  # fmt: skip
