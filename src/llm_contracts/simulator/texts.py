# ruff: noqa: RUF001 - the texts are meant to hold what confuses: full-width marks, joiners, combining marks
"""What the simulated models say: short texts, cut as a model cuts them.

A bar separates the pieces, and a piece never ends inside a code point. It may well end inside what a reader
takes for one character: between a letter and its combining mark, or between the people of one emoji. A client
or a product that repairs, trims or re-encodes pieces one by one is found out by exactly these.
"""

from __future__ import annotations

from itertools import cycle, islice, repeat

Pieces = tuple[str, ...]


def cut(text: str) -> Pieces:
    """The pieces of a text whose cuts are marked by bars."""
    return tuple(text.split("|"))


def tokens_in(text: str) -> int:
    """A count in place of a tokenizer's: about one a Chinese character or four Latin letters, never 0."""
    return max(1, (len(text.encode()) + 2) // 4)


GREETING = cut(
    "你好|！|春天|的茶园|里，|薄雾|还没散|，|鸟|先醒|了|。\n\n|"
    "👩|\u200d🚀| 和 |👨‍👩‍👧‍👦|，|🇨|🇳|，|👍🏽|\n|"
    "cafe|\u0301|, Zu|\u0308|rich|, q\u0323|\u0307|, नम|स्|ते|, ｆｕｌｌ　ｗｉｄｔｈ|。"
)
FOLLOW_UP = cut("记得|，|你刚才|问的是|“|绿茶|”|。|它|没有|发酵|，|所以|更|清|。| 🍵")
TEACHER = cut("同学|，|我们|分|三步|：\n|1|.| 看题|\n|2|.| 列式|\n|3|.| 验算|。")
JSON_TEXT = cut('{"|城市|":| "|杭州|",| "|表情|":| "|🌧|\ufe0f|",| "|温度|":| |18|,| "|引号|":| "\\"|"}')
THOUGHTS = cut("先|数|一数|：|三|个|苹果|，|吃掉|一个|🤔|，|剩|下|两个|。")
CONCLUSION = cut("答案|是| **|2|**| 个|🍎|。")
DANGEROUS = cut("要|做|到|这|一点|，|首先")

THINKING_ALOUD = cut("<think>|\n先|数|一数|。\n|</think>|\n\n|还|剩| **|2|**| 个|。")
ARGUMENTS = cut('{"|城市|":| "|杭|州|"}')
EQUAL = ("-",) * 150

_VERSE = cut("行|路|难|，|多|歧|路|；|今|安|在|？|\n")
_RULE = "----"
_RULE_PIECES = 120
_LONG_PIECES = 1000


def long_text() -> Pieces:
    """A thousand pieces, among them a run of 120 equal ones, as a model sends when it draws a line.

    A client that takes a run of equal chunks for a model gone astray breaks off in the middle.
    """
    opening = tuple(islice(cycle(_VERSE), _LONG_PIECES - _RULE_PIECES))
    half = len(opening) // 2
    return (*opening[:half], *repeat(_RULE, _RULE_PIECES), *opening[half:])
