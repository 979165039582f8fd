"""Messages of small bots, of our own making: small talk, and messages that say nothing."""

from __future__ import annotations

from typing import Dict, Tuple

Intents = Dict[str, Tuple[str, ...]]

# How different authors write the examples of one bot; the first ones of each are taken.
WORDINGS: Dict[str, Intents] = {
    "plain": {
        "greet": (
            "hello", "hi", "hey", "good morning", "good evening", "hello there", "hi bot",
            "hey you",
        ),
        "goodbye": (
            "bye", "goodbye", "see you later", "bye bye", "good night", "see you around",
            "have a nice day", "farewell",
        ),
        "affirm": (
            "yes", "of course", "that sounds good", "correct", "indeed", "sure", "right",
            "yes please",
        ),
        "deny": (
            "no", "never", "i don't think so", "no way", "not really", "nope", "no thanks",
            "that is wrong",
        ),
    },
    "chatty": {
        "greet": (
            "heya", "yo", "hiya", "sup", "howdy", "heyyy", "what's up", "morning!",
        ),
        "goodbye": (
            "cya", "gotta go", "ttyl", "later!", "cu", "im off now", "k bye",
            "talk to you tomorrow",
        ),
        "affirm": (
            "yep", "yeah", "ok", "y", "yup do it", "cool", "fine by me", "okay then",
        ),
        "deny": (
            "nah", "n", "nope nope", "don't", "naw", "rather not", "forget it", "no no no",
        ),
    },
    "sentences": {
        "greet": (
            "Hello, is anybody there?", "Good afternoon to you.", "Hi, I have just arrived.",
            "Hey, nice to meet you!", "Greetings from the south.", "Hello, can we talk?",
            "Good day, dear assistant.", "Hi again, it is me.",
        ),
        "goodbye": (
            "That was all, goodbye.", "I have to leave now.", "Thank you and see you soon!",
            "We will talk another time.", "I am closing the chat now.", "Have a good one, bye!",
            "Until next week then.", "Good night, sleep well.",
        ),
        "affirm": (
            "Yes, that is what I want.", "I agree with that.", "Please go ahead.",
            "That is correct, thank you.", "Sure, why not.", "Exactly as you say.",
            "Okay, let us do that.", "Yes, absolutely.",
        ),
        "deny": (
            "No, that is not what I meant.", "I would rather not.", "Please do not do that.",
            "That is not right.", "No, thank you.", "I do not agree.",
            "Absolutely not.", "No, leave it as it is.",
        ),
    },
}  # fmt: skip
# What is asked of every bot; no example of any.
HELD_OUT: Intents = {
    "greet": (
        "hello bot", "hi there", "good morning everyone", "hey, how are you", "hello again",
        "a very good day to you",
    ),
    "goodbye": (
        "bye for now", "see you", "goodbye then", "i'm leaving, take care", "catch you later",
        "have a great evening",
    ),
    "affirm": (
        "yes i do", "that's right", "sure thing", "yes, go on", "sounds great", "definitely",
    ),
    "deny": (
        "no i don't", "not at all", "no, thanks", "that's not true", "i don't want that",
        "certainly not",
    ),
}  # fmt: skip
# What nobody can answer. No y, n, k or mhm: they say yes or no.
CONTENT_FREE: Intents = {
    "keyboard mash": (
        "asdf", "jkl;", "qwer", "dfgjkldfg", "xyz", "qwertz", "sdfsdfsdf", "lkjhgf", "zxcvbn",
        "asdf jkl", "fghfgh", "wqeoiu", "hjkhjk", "poiuyt", "xcv bnm", "gfdsgfds", "aslkdjalskd",
        "uiouio", "vbnvbn,", "ghjk ghjk",
    ),
    "repeated letters": ("aaaaaaa", "mmmm", "zzzzzz", "hhhhhh", "ooooooooo", "lllll"),
    "punctuation": ("??", "...", "-", "!!!", ".", "?!?!", ",,,,", "---", "/", "()"),
    "filler": (
        "hmm", "uh", "umm", "erm", "um", "hm hm", "err", "uhh um", "eh", "ahem", "well umm", "ugh",
    ),
    "single letter": ("b", "q", "x", "g", "w", "v", "j", "z"),
    "digits": ("1", "7", "42", "000", "12345", "3.14", "99999", "0 1 0 1"),
}  # fmt: skip
