"""Shortens the texts by which phones report a reaction: `Liked “…”`, `Hat „…“ mit ❤️ reagiert`. Pure."""

import re
from functools import cache
from typing import Final

MAX_QUOTED_CHARS: Final = 24
_MAX_TEXT_CHARS: Final = 2000
_EMOJI: Final = r"[^\w\s]{1,16}"
# The reports of iPhones and Android phones: `…` is the quoted text, `*` an emoji.
_REPORTS: Final = (
    "Liked …", "Loved …", "Disliked …", "Laughed at …", "Emphasized …", "Emphasised …", "Questioned …",
    "Reacted * to …", "Reacted with * to …", "* to …", "Removed * from …", "Removed a like from …",
    "Removed a heart from …", "Removed a dislike from …", "Removed a laugh from …", "Removed an exclamation from …",
    "Removed a question mark from …", "Removed a * reaction from …", "Reacted with a sticker to …", "Gefällt …",
    "Gefällt mir: …", "Liebt …", "Lacht über …", "Betont …", "Hinterfragt …", "* zu …", "* auf …",
    "Hat … mit „Gefällt mir“ markiert", "Hat … mit „Gefällt mir nicht“ markiert", "Hat … mit Gefällt mir markiert",
    "Hat … mit einem Herz markiert", "Hat … mit einem Herzen markiert", "Hat … mit * markiert",
    "Hat … mit * reagiert", "Hat mit * auf … reagiert", "Hat auf … mit * reagiert", "Reagierte mit * auf …",
    "Hat … geliked", "Hat … geliebt", "Hat über … gelacht", "Hat … betont", "Hat … hinterfragt",
    "Hat … infrage gestellt", "Hat … in Frage gestellt", "Hat ein Herz zu … hinzugefügt", "Hat * zu … hinzugefügt",
    "Hat * von … entfernt", "Findet … gut", "Findet … toll", "Findet … lustig", "Mag …", "Mag … nicht", "A aimé …",
    "A adoré …", "N’a pas aimé …", "A ri de …", "A ri à …", "A souligné …", "A questionné …", "A mis en doute …",
    "A réagi avec * à …", "A réagi * à …", "A réagi à … avec *", "* à …", "A retiré * de …", "Le gustó …",
    "Le gusta …", "Le encantó …", "Le encanta …", "No le gustó …", "No le gusta …", "Se rió de …", "Se ríe de …",
    "Enfatizó …", "Destacó …", "Cuestionó …", "Indicó que le gusta …", "Indicó que le encanta …",
    "Reaccionó con * a …", "Reaccionó * a …", "Ha reaccionado con * a …", "Reaccionó a … con *", "* a …",
    "Gostou de …", "Curtiu …", "Adorou …", "Amou …", "Não gostou de …", "Riu de …", "Enfatizou …", "Destacou …",
    "Questionou …", "Reagiu com * a …", "Reagiu * a …", "Reagiu a … com *", "Ha messo Mi piace a …",
    "Ha messo “Mi piace” a …", "Piace …", "Ha adorato …", "Ha amato …", "Ha riso per …", "Ha riso di …",
    "Ha enfatizzato …", "Ha evidenziato …", "Ha messo in dubbio …", "Ha reagito con * a …", "Ha reagito * a …",
    "Ha reagito a … con *", "Vond … leuk", "Vindt … leuk", "Vond … geweldig", "Vindt … geweldig", "Vond …",
    "Lachte om …", "Benadrukte …", "Heeft … benadrukt", "Heeft … leuk gevonden", "Heeft met * gereageerd op …",
    "Heeft met * op … gereageerd", "Reageerde met * op …", "* op …", "Synes godt om …", "Kunne lide …", "Elsker …",
    "Elskede …", "Lo ad …", "Fremhævede …", "Reagerede med * på …", "* på …", "Likte …", "Liker …", "Elsket …",
    "Lo av …", "Fremhevet …", "Reagerte med * på …", "Gillade …", "Gillar …", "Markerade …", "Älskade …",
    "Älskar …", "Skrattade åt …", "Framhävde …", "Ifrågasatte …", "Reagerade med * på …", "Reagerade på … med *",
    "Tykkäsi viestistä …", "Tykkäsi: …", "Rakasti viestiä …", "Reagoi * viestiin …", "Reagoi viestiin … *",
    "Polubił(a) …", "Polubiono …", "Zareagował(a) * na …", "Zareagowano * na …", "* na …", "Líbí se …",
    "Reagoval(a) * na …", "Reagoval(a) na … pomocí *", "Понравилось …", "Нравится …", "Поставил(а) * на …",
    "Реакция * на …", "Отреагировал(а) * на …", "* на …", "Вподобано …", "Уподобано …", "Відреагував(-ла) * на …",
    "Реакція * на …", "… iletisini beğendi", "… mesajını beğendi", "… iletisine * ile tepki verdi",
    "… mesajına * ile tepki verdi", "…に「いいね」", "…に「いいね」しました", "…を「いいね」と評価しました",
    "…を高く評価しました", "…にハートを付けました", "…に*でリアクションしました", "…に*を付けました",
    "…を強調しました", "…に笑いました", "…に疑問を示しました", "表示喜欢…", "喜欢了…", "赞了…", "对…表示喜欢",
    "对…表示赞同", "觉得…很赞", "用*回应了…", "对…回应了*", "對…表示喜歡", "表示喜歡…", "用*回應了…",
    "…을(를) 좋아함", "…에 좋아요 표시", "…에 *로 반응함", "…에 * 반응을 보냄", "…을(를) 강조함",
)  # fmt: skip
_QUOTE: Final = re.compile('[“”"„«「『‘‚]')


def _pattern(report: str) -> re.Pattern[str]:
    before, _, after = (
        re.escape(part.strip()).replace(r"\*", _EMOJI).replace(r"\ ", r"\s+").replace("’", "['’]")
        for part in report.partition("…")
    )
    return re.compile(
        rf"({before})\s*[“”\"„«「『‘‚]\s*(.+)\s*[”“\"»」』’‘]\s*({after})[.。]?",
        re.DOTALL | re.IGNORECASE,
    )


# Compiling them takes a tenth of a second, which the start of each process would have to wait for.
@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(map(_pattern, _REPORTS))


def shorten_reaction(text: str) -> str:
    """Return a reaction with the beginning of the text that it is about; any other text unchanged."""
    report = text.strip()
    if len(report) > _MAX_TEXT_CHARS or not _QUOTE.search(report[:_MAX_TEXT_CHARS]):
        return text
    for pattern in _patterns():
        if match := pattern.fullmatch(report):
            break
    else:
        return text
    quoted = " ".join(match[2].split())
    if len(quoted) > MAX_QUOTED_CHARS:
        head = quoted[: MAX_QUOTED_CHARS + 1].rpartition(" ")[0] or quoted[:MAX_QUOTED_CHARS]
        quoted = f"{head}..."
    return " ".join(part for part in (*match[1].split(), f'"{quoted}"', match[3]) if part)
