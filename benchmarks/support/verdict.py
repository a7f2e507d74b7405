"""One line per figure: what it is, what it may be, whether it is."""


def verdict(what: str, figure: float, target: float, more: str = "", *, at_least: bool = False) -> str:
    """`at_least`: the figure must not be smaller than the target; otherwise not larger."""
    good = figure >= target if at_least else figure <= target
    bound = f"{'≥' if at_least else '≤'} {target:g}"
    return f"{what:48} {figure:10.2f}  target {bound:8} {'ok' if good else 'MISSED'}{f'  ({more})' if more else ''}"
