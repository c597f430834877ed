"""Tables of words that mail programs write, in the languages that the gateway reads. All in case-folded form."""

from typing import Final


def _fold(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(phrase.casefold() for phrase in phrases)


# Verbs of the line above a quotation. Words of languages with blanks are compared as whole words.
WROTE: Final = frozenset((
    "wrote", "writes", "quoting", "zitat", "citando", "citado", "cytując", "cytat", "citerar", "citerer",
    "schrieb", "schrieben", "geschrieben", "écrit", "escribió", "escribio", "escreveu",
    "escribe", "scritto", "scrive", "schreef", "skrev", "skreiv", "kirjoitti", "napisał", "napisała",
    "napisał(a)", "napisana", "geschreven", "pisze", "napsal", "napsala", "napsal(a)", "napísal",
    "написал", "написала", "написал(а)",
    "пишет", "писал", "писала", "написав", "пише", "писав", "yazdı", "yazmış",
))  # fmt: skip
WROTE_WITHIN: Final = _fold((
    "写道", "寫道", "写入", "님이 작성", "작성:", "쓴 글", "のメール", "は書きました", "書きました",
    "さんが書きました", "のメッセージ",
))  # fmt: skip
OPENERS: Final = frozenset((
    "on", "am", "at", "le", "el", "em", "il", "op", "den", "den.", "på", "w", "dnia", "dne", "dňa", "в", "от",
    "о", "у", "在", "於", "于", "on:", "ons", "man", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
))  # fmt: skip

# Labels of header blocks and their roles.
_LABELS: Final = {
    "from": (
        "from", "von", "de", "expéditeur", "da", "van", "fra", "från", "lähettäjä", "od", "nadawca",
        "odesílatel", "от", "отправитель", "від", "відправник", "kimden", "gönderen", "差出人", "送信者",
        "发件人", "發件人", "寄件者", "寄件人", "보낸사람", "보낸이", "발신",
    ),
    "date": (
        "date", "sent", "gesendet", "datum", "envoyé", "enviado", "fecha", "data", "data/ora", "inviato",
        "verzonden", "sendt", "dato", "skickat", "lähetetty", "päivämäärä", "päiväys", "wysłano", "odesláno",
        "дата", "отправлено", "дата:", "надіслано", "tarih", "gönderildi", "gönderilme", "日付", "送信日時",
        "日時", "日期", "发送时间", "時間", "时间", "發送時間", "寄件日期", "보낸날짜", "날짜", "전송",
    ),
    "to": (
        "to", "an", "à", "para", "a", "aan", "til", "till", "vastaanottaja", "do", "komu", "кому", "kime",
        "alıcı", "宛先", "宛て", "收件人", "收件者", "받는사람", "받는이", "수신", "destinataire",
        "destinatario", "per",
    ),
    "cc": (
        "cc", "kopie", "kopi", "kopia", "копия", "копія", "bilgi", "抄送", "副本", "참조", "cópia",
    ),
    "subject": (
        "主旨", "subject", "betreff", "objet", "asunto", "assunto", "oggetto", "onderwerp", "emne", "ämne", "aihe",
        "temat", "předmět", "тема", "konu", "件名", "主题", "主題", "제목",
    ),
    "other": (
        "reply-to", "bcc", "importance", "attachments", "priority", "antwort", "wichtigkeit", "anlagen",
        "organization",
    ),
}  # fmt: skip
LABELS: Final = {word: role for role, words in _LABELS.items() for word in words}
LABELS_OF_WORDS: Final = {
    "date sent": "date", "보낸 사람": "from", "받는 사람": "to", "보낸 날짜": "date", "sent at": "date",
    "reply to": "other", "antwort an": "other", "date d'envoi": "date", "gönderme tarihi": "date",
    "gönderilme tarihi": "date", "data wysłania": "date", "datum odeslání": "date", "répondre à": "other",
    "enviado el": "date", "enviado em": "date", "enviada em": "date", "送信 日時": "date",
    "fecha de envío": "date",
}  # fmt: skip

ORIGINAL: Final = _fold((
    "original message", "original email", "original mail", "ursprüngliche nachricht", "originalnachricht",
    "original-nachricht", "originale nachricht", "message d'origine", "message original", "message initial",
    "mensaje original", "mensagem original", "messaggio originale", "messaggio originario",
    "oorspronkelijk bericht", "oprindelig meddelelse", "original meddelelse", "opprinnelig melding",
    "originalmeddelande", "ursprungligt meddelande", "alkuperäinen viesti", "wiadomość oryginalna",
    "oryginalna wiadomość", "původní zpráva", "исходное сообщение", "оригинальное сообщение",
    "пересланное сообщение", "початкове повідомлення", "оригінальне повідомлення", "özgün ileti",
    "orijinal mesaj", "orijinal ileti", "元のメッセージ", "オリジナルメッセージ", "原始邮件", "原始郵件",
    "原郵件", "邮件原件", "원본 메일", "원본 메시지", "원본 메세지", "원본 이메일", "원본 내용",
))  # fmt: skip
FORWARDED: Final = _fold((
    "forwarded message", "forwarded email", "weitergeleitete nachricht", "weitergeleiteten nachricht",
    "message transféré", "message réexpédié", "mensaje reenviado", "mensagem encaminhada",
    "mensagem reencaminhada", "messaggio inoltrato", "doorgestuurd bericht", "videresendt meddelelse",
    "videresendt besked", "videresendt melding", "videresendt e-post", "vidarebefordrat meddelande",
    "välitetty viesti", "edelleenlähetetty viesti", "przekazana wiadomość", "wiadomość przekazana",
    "přeposlaná zpráva", "пересылаемое сообщение", "пересланное письмо", "переслане повідомлення",
    "iletilen ileti", "yönlendirilmiş ileti", "iletilmiş mesaj", "転送メッセージ", "転送されたメッセージ",
    "转发的邮件", "转发邮件", "轉寄郵件", "转发信息", "전달된 메일", "전달된 메시지", "전달된 이메일",
))  # fmt: skip
FORWARD_LINES: Final = _fold((
    "begin forwarded message:", "anfang der weitergeleiteten nachricht:", "début du message transféré :",
    "début du message réexpédié :", "inicio del mensaje reenviado:", "início da mensagem reencaminhada:",
    "início da mensagem encaminhada:", "inizio messaggio inoltrato:", "begin doorgestuurd bericht:",
    "start på videresendt besked:", "videresendt besked:", "start på videresendt melding:",
    "vidarebefordrat brev:", "vidarebefordrat mejl:", "välitetty viesti alkaa:",
    "początek przekazywanej wiadomości:", "začátek přeposílané zprávy:", "начало переадресованного сообщения:",
    "початок листа, що пересилається:", "iletilen e-posta başlangıcı:", "転送されたメッセージ:",
    "下面是被转发的邮件：", "开始转发的邮件：", "以下是轉寄的郵件：", "전달된 메시지 시작:",
))  # fmt: skip

# A client footer has one of these beginnings, and names a device or a program.
FOOTER_BEGINNINGS: Final = _fold((
    "sent from", "sent with", "sent via", "sent using", "get outlook", "typed on my", "written on my",
    "gesendet mit", "gesendet von", "gesendet über", "versendet mit", "holen sie sich outlook",
    "envoyé de mon", "envoyé depuis", "envoyé à partir", "envoyé avec", "télécharger outlook",
    "téléchargez outlook", "obtenez outlook", "obtenir outlook", "enviado desde", "enviado con",
    "enviado de mi", "enviado do meu", "enviado do", "enviado pelo", "enviado com", "enviado a partir",
    "enviado via", "obtener outlook", "obter o outlook", "obter outlook", "baixe o outlook", "inviato da",
    "inviato dal", "inviato con", "ottieni outlook", "scarica outlook", "verzonden vanaf", "verstuurd vanaf",
    "verzonden met", "verzonden via", "download outlook", "outlook voor", "sendt fra", "sendt med",
    "sendt via", "hent outlook", "få outlook", "skickat från", "skickat med", "skickades från",
    "skaffa outlook", "hämta outlook", "lähetetty", "hanki outlook", "wysłano z", "wysłane z", "wysłano za",
    "pobierz outlook", "pobierz program outlook", "pobierz aplikację outlook", "odesláno z", "odesláno pomocí",
    "odesláno přes", "získat outlook", "získejte outlook", "stáhnout outlook", "отправлено с", "отправлено из",
    "отправлено через", "послано с", "скачать outlook", "получить outlook", "получите outlook", "надіслано з",
    "надіслано за", "надіслано через", "відправлено з", "отримати outlook", "отримайте outlook", "outlook for",
    "outlook'u", "android için outlook", "ios için outlook", "发自我的", "发自", "來自我的", "從我的",
    "从我的", "傳送自", "發自", "获取 outlook", "获取outlook", "取得 outlook", "下載 outlook", "下载 outlook",
    "yahoo mail:", "yahoo! mail", "yahoo!メール", "ios 版 outlook", "android 版 outlook",
    "skaff deg outlook", "lataa outlook", "uzyskaj outlook", "uzyskaj aplikację outlook", "завантажити outlook",
    "завантажте outlook", "verzonden vanuit mail", "verzonden vanuit outlook", "provenance : courrier",
    "provenance: courrier", "expédié de mon", "outlook für ios beziehen", "outlook für android beziehen",
    "outlook für ios herunterladen", "outlook für android herunterladen", "outlook für ios abrufen",
    "outlook für android abrufen", "mit proton mail gesendet", "mit k-9 mail gesendet",
))  # fmt: skip
# Footers that are known by their end as well: the same words begin sentences.
FOOTER_FRAMES: Final = (
    ("von samsung", "gesendet"), ("von android", "gesendet"), ("von outlook", "gesendet"),
    ("von mail", "gesendet"), ("von mobile", "gesendet"), ("von huawei", "gesendet"), ("von iphone", "gesendet"),
    ("von ipad", "gesendet"), ("von xiaomi", "gesendet"), ("von yahoo mail", "gesendet"),
    ("von meinem", "gesendet"), ("von meiner", "gesendet"),
    ("diese nachricht wurde", "gesendet"), ("diese e-mail wurde", "gesendet"),
    ("nachricht von meinem", "gesendet"), ("iphone", "gönderildi"), ("ipad", "gönderildi"),
    ("samsung", "gönderildi"), ("android", "gönderildi"), ("galaxy", "gönderildi"), ("iphone", "送信"),
    ("ipad", "送信"), ("android", "送信"), ("スマート", "送信"), ("galaxy", "送信"), ("xperia", "送信"),
    ("내", "보냄"), ("나의", "보냄"), ("iphone", "보냄"), ("내", "전송"), ("나의", "보낸"), ("갤럭시", "보냄"),
    ("galaxy", "보냄"), ("samsung", "보냄"), ("ios용 outlook", "다운로드"), ("android용 outlook", "다운로드"),
    ("ios용 outlook", "가져오기"), ("android용 outlook", "가져오기"), ("ios 用の outlook", "入手"),
    ("outlook for", "入手"), ("从我的", "发送"), ("從我的", "傳送"), ("mit der", "gesendet"),
    ("mobil", "gesendet"), ("unterwegs", "gesendet"), ("min ", "skickat"), ("denne besked", "sendt"),
    ("denne e-post", "sendt"), ("cet e-mail", "envoyé"), ("ce message", "envoyé"),
    ("android용 outlook", "받기"), ("ios용 outlook", "받기"), ("gesendet mit fairemail", "android"),
    ("naver 메일", "에서 보냄"), ("네이버 메일", "에서 보냈습니다"), ("네이버 메일", "에서 보냄"),
    ("windows용 메일", "에서 보냄"), ("从 windows 版邮件", "发送"), ("從 windows 版郵件", "傳送"),
    ("发送自", "邮件应用"), ("来自 outlook", "自 outlook"), ("来自我的", "手机"), ("来自我的", "iphone"),
    ("windows 版のメール", "から送信"), ("ソフトバンク", "から送信"), ("docomo", "から送信"), ("私の", "から送信"),
)  # fmt: skip
DEVICES: Final = _fold((
    "iphon", "ipad", "ipod", "naver", "android", "samsung", "galaxy", "outlook", "yahoo", "gmail", "proton", "k-9",
    "k9 mail", "gmx", "web.de", "blackberry", "windows", "huawei", "xiaomi", "pixel", "nokia", "motorola",
    "oneplus", "aol", "mobile", "mobil", "smartphone", "handy", "telefon", "téléphone", "teléfono", "telefono",
    "telefone", "phone", "телефон", "смартфон", "яндекс", "mail.ru", "почт", "thunderbird", "fairemail",
    "spark", "airmail", "mailspring", "puhelime", "携帯", "スマート", "手机", "手機", "邮箱", "郵件", "갤럭시",
    "네이버", "스마트폰", "tutanota", "tuta", "posteo", "t-online", "freenet", "orange", "bluemail", "tablet",
    "mail app", "mail-app", "e-mail app", "boxer", "typeapp", "yandex", "fastmail", "zoho", "shortwave",
    "superhuman", "missive", "canary", "edison", "boomerang", "mailbird", "em client", "emclient", "polymail",
    "fairphone", "xperia", "lumia", "chromebook", "apple watch", "roundcube", "geary", "evolution",
))  # fmt: skip

# An apology behind the name of a program.
FOOTER_APOLOGIES: Final = _fold((
    "brevity", "kürze", "brièveté", "brevedad", "brevidade", "brevità", "beknopt", "kortfattet", "kortfattad",
    "lyhyyttä", "zwięzłość", "stručnost", "краткость", "стислість", "kısalığ",
))  # fmt: skip
# A paragraph with one of the first and several of both is a disclaimer.
DISCLAIMER_CORE: Final = _fold((
    "confidential", "privileged", "intended recipient", "intended solely", "intended only", "vertraulich",
    "rechtlich geschützt", "ausschließlich für", "uitsluitend bestemd", "exclusivement", "exclusivamente",
    "esclusivamente", "udelukkende", "uteslutande", "ainoastaan", "wyłącznie", "výhradně", "исключительно для",
    "виключно для", "yalnızca", "unbefugte", "confidentiel", "confidencial", "sigilo", "riservat",
    "vertrouwelijk", "fortrolig", "konfidensiell", "konfidentiell", "luottamuksellinen", "luottamuksellis",
    "poufn", "důvěrn", "конфиденциальн", "конфіденційн", "gizli", "機密", "机密", "保密", "기밀", "비밀",
))  # fmt: skip
DISCLAIMER_HINTS: Final = _fold((
    "this e-mail", "this email", "this message", "this communication", "received this", "in error",
    "by mistake", "notify the sender", "delete", "disclos", "unauthorised", "unauthorized", "attachments",
    "viruses", "liability", "addressee", "irrtümlich", "diese e-mail", "dieser e-mail", "diese nachricht",
    "vernichten", "löschen", "nicht der richtige adressat", "bestimmungsgemäße", "empfänger",
    "informieren sie", "destinataire", "ce message", "ce courriel", "cet e-mail", "par erreur",
    "pièces jointes", "strictement", "supprimer", "détruire", "destinatario", "este mensaje", "este correo",
    "por error", "elimin", "destinatário", "esta mensagem", "este e-mail", "por engano", "por erro",
    "il presente messaggio", "questo messaggio", "questa e-mail", "per errore", "cancellar", "geadresseerde",
    "dit bericht", "deze e-mail", "abusievelijk", "ten onrechte", "per vergissing", "verwijder",
    "bestemd voor", "denne mail", "denne e-mail", "denne e-post", "denne besked", "ved en fejl", "ved fejl",
    "ved en feil", "ved feil", "slet", "slett", "modtager", "mottaker", "mottagare", "detta meddelande",
    "detta e-post", "av misstag", "radera", "vastaanottaja", "tämä viesti", "tämän viestin", "erehdyksessä",
    "vahingossa", "poista", "adresat", "niniejsza wiadomość", "ta wiadomość", "omyłkowo", "przez pomyłkę",
    "usunię", "příjemce", "tato zpráva", "tento e-mail", "omylem", "smažte", "vymažte", "адресат", "получател",
    "данное сообщение", "это сообщение", "по ошибке", "удалите", "отримувач", "одержувач", "цей лист",
    "це повідомлення", "помилково", "видаліть", "bu e-posta", "bu mesaj", "alıcı", "yanlışlıkla", "siliniz",
    "silin", "このメール", "本メール", "誤って", "受信者", "削除", "本邮件", "此邮件", "收件人", "误", "删除",
    "本郵件", "此郵件", "刪除", "誤", "이 메일", "이 이메일", "본 메일", "본 메시지", "수신인", "수신자",
    "잘못", "삭제",
))  # fmt: skip
DISCLAIMER_CERTAIN: Final = _fold((
    "this e-mail and any attachments", "this email and any attachments", "this email and any files",
    "this message and any attachments", "this e-mail and any files", "consider the environment before",
    "before printing this", "originated from outside", "external email:", "external sender",
    "registered office:", "registered in england", "diese e-mail enthält vertrauliche",
    "sitz der gesellschaft", "registergericht", "handelsregister", "denken sie an die umwelt", "virus-free",
    "checked by avg", "scanned for viruses", "auf viren geprüft", "garanti sans virus", "libre de virus",
    "virenfrei", "sans virus.", "livre de vírus", "privo di virus", "virusvrij", "avast.com",
))  # fmt: skip
LIST_FOOTERS: Final = _fold((
    "you received this message because you are subscribed", "to unsubscribe", "unsubscribe from this group",
    "manage your subscription", "update your preferences", "unsubscribe:",
    "um sich von dieser gruppe abzumelden", "abbestellen", "newsletter abmelden", "se désabonner",
    "se désinscrire", "darse de baja", "cancelar suscripción", "cancelar a inscrição", "annulla l'iscrizione",
    "uitschrijven", "afmelden", "afmeld", "avsluta prenumeration", "peruuta tilaus", "wypisz się",
    "zrezygnować z subskrypcji", "odhlásit odběr", "отписаться", "відписатися", "abonelikten çık", "配信停止",
    "退订", "取消訂閱", "수신거부", "view this email in your browser",
))  # fmt: skip
LIST_FOOTERS_CERTAIN: Final = _fold((
    "you received this message because you are subscribed", "you are receiving this because",
    "visit topic", "to unsubscribe from these", "to unsubscribe from this", "unsubscribe from this",
    "you are receiving this email because", "you're receiving this",
))  # fmt: skip
# Below a rule, one of these makes a footer.
LIST_HINTS: Final = _fold((
    " mailing list", "mailingliste", "mailing-list", "listinfo", "unsubscribe", "visit topic",
    "view/reply online", "reply to this email", "liste de diffusion", "lista de correo", "lista de discussão",
    "mailinglijst", "postiuslista", "postituslista", "lista dyskusyjna", "список рассылки", "メーリングリスト",
    "邮件列表", "메일링 리스트", "/options/", "/postorius/", "email settings", "a service from",
    "delivered by",
))  # fmt: skip
LIST_EVIDENCE: Final = ("http://", "https://", "@", "www.")

# Lines that a service puts above the text of a person.
NOTICES_ABOVE: Final = _fold((
    " left a comment (", " commented on ", "please type your reply above this line", "reply above this line",
))  # fmt: skip

# What a ticket system says above its entries.
TICKET_NOTICES: Final = _fold((
    "type your reply above this line", "reply above this line", "reply to this email", "has been updated",
    "a new comment", "has been received", "to add additional comments", "antworten sie auf diese e-mail",
    "wurde aktualisiert", "oberhalb dieser zeile", "a été mise à jour", "répondez à cet e-mail",
    "au-dessus de cette ligne", "ha sido actualizada", "responda a este correo", "por encima de esta línea",
    "foi atualizada", "acima desta linha", "è stata aggiornata", "sopra questa riga", "is bijgewerkt",
    "boven deze regel", "er blevet opdateret", "har uppdaterats", "on päivitetty", "zostało zaktualizowane",
    "byl aktualizován", "был обновлен", "обновлён", "було оновлено", "güncellendi", "更新されました", "已更新",
    "업데이트되었습니다",
))  # fmt: skip

# What the plain form of a mail says when only its HTML has the message.
POINTERS_TO_HTML: Final = _fold((
    "html compatible email viewer", "html-compatible", "html capable", "html-capable", "html enabled",
    "html-enabled", "does not support html", "doesn't support html", "not support html", "cannot display html",
    "can't display html", "unable to display html", "unable to read html", "to view this message, please use",
    "to view the message, please use", "view it in html", "in html format", "sent in html", "html version",
    "please enable html", "view this email in your browser", "view this email in a browser",
    "view it in your browser", "view in browser", "html-fähig", "kein html", "im html-format",
    "html-ansicht", "im browser ansehen", "im browser anzeigen", "im browser öffnen",
    "ne prend pas en charge le html", "au format html", "dans votre navigateur", "no admite html",
    "no soporta html", "en formato html", "en su navegador", "en tu navegador", "não suporta html",
    "no seu navegador", "em formato html", "non supporta html", "in formato html", "nel browser",
    "ondersteunt geen html", "in uw browser", "in je browser", "understøtter ikke html", "i din browser",
    "støtter ikke html", "i nettleseren", "stöder inte html", "i webbläsaren", "ei tue html",
    "selaimessa", "nie obsługuje html", "w przeglądarce", "nepodporuje html", "v prohlížeči",
    "не поддерживает html", "в браузере", "не підтримує html", "у браузері", "html desteklemiyor",
    "tarayıcıda", "html形式", "htmlメール", "ブラウザで", "不支持html", "在浏览器中", "在瀏覽器", "브라우저에서",
))  # fmt: skip

# Each of them has one of these.
SIGNS_OF_POINTERS_TO_HTML: Final = (
    "html", "browser", "naveg", "navig", "nettleser", "webbläsare", "selaime", "przeglądar", "prohlížeč",
    "браузер", "tarayıcı", "ブラウザ", "浏览器", "瀏覽器", "브라우저", "please use",
)  # fmt: skip

# Words of an author whose answers stand within the history below, such as in colour.
POINTERS_BELOW: Final = _fold((
    "see below", "answers below", "in red", "in blue", "in green", "inline", "in line below", "in-line",
    "comments below", "in colour", "in color", "below in", "siehe unten", "antworten unten", "s.u.", "in rot",
    "in blau", "in grün", "rot markiert", "im text unten", "unten im text", "ci-dessous", "en rouge",
    "en bleu", "más abajo", "en rojo", "en azul", "abaixo", "em vermelho", "em azul", "qui sotto", "in rosso",
    "in blu", "hieronder", "in het rood", "in het blauw", "nedenfor", "nedenunder", "med rødt", "i rødt",
    "i blåt", "i rött", "nedan", "alla punaisella", "punaisella", "alempana", "poniżej", "na czerwono", "níže",
    "červeně", "ниже", "красным", "нижче", "червоним", "aşağıda", "kırmızı", "下記", "赤字", "青字", "见下",
    "如下", "紅字", "红字", "아래", "빨간",
))  # fmt: skip

CLOSINGS: Final = _fold((
    "best regards", "kind regards", "regards", "best wishes", "best,", "cheers", "sincerely", "yours",
    "many thanks", "thanks,", "thank you,", "mit freundlichen grüßen", "mit freundlichem gruß",
    "freundliche grüße", "viele grüße", "liebe grüße", "beste grüße", "herzliche grüße", "schöne grüße",
    "gruß", "grüße", "mfg", "vg", "lg", "cordialement", "bien à vous", "salutations", "bien cordialement",
    "amicalement", "saludos", "un saludo", "atentamente", "atenciosamente", "cumprimentos", "abraço",
    "cordiali saluti", "distinti saluti", "saluti", "met vriendelijke groet", "vriendelijke groet", "groeten",
    "groetjes", "med venlig hilsen", "venlig hilsen", "mvh", "hilsen", "med vennlig hilsen", "vennlig hilsen",
    "med vänliga hälsningar", "vänliga hälsningar", "hälsningar", "ystävällisin terveisin", "terveisin",
    "z poważaniem", "pozdrawiam", "s pozdravem", "с уважением", "з повагою", "saygılarımla", "iyi çalışmalar",
    "よろしく", "以上", "敬具", "此致", "祝好", "敬上", "감사합니다", "드림",
))  # fmt: skip
CONTACT_EVIDENCE: Final = _fold((
    "tel", "phone", "mobile", "mob.", "cell", "fax", "www.", "http://", "https://", "@", "gmbh", " ltd",
    " inc", "telefon", "tél", "móvil", "тел", "電話", "电话", "전화",
))  # fmt: skip
