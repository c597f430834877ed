"""Tables of words that mail programs write, in the languages that the gateway reads. All in case-folded form."""

from typing import Final


def _fold(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(phrase.casefold() for phrase in phrases)


# Verbs of the line above a quotation. Words of languages with blanks are compared as whole words.
WROTE: Final = frozenset(_fold((
    "wrote", "writes", "quoting", "zitat", "citando", "citado", "cytując", "cytat", "citerar", "citerer",
    "schrieb", "schrieben", "geschrieben", "écrit", "escribió", "escribio", "escreveu",
    "escribe", "scritto", "scrive", "schreef", "skrev", "skreiv", "kirjoitti", "napisał", "napisała",
    "napisał(a)", "napisana", "geschreven", "pisze", "napsal", "napsala", "napsal(a)", "napísal",
    "написал", "написала", "написал(а)",
    "пишет", "писал", "писала", "написав", "пише", "писав", "yazdı", "yazmış", "yazdınız", "yazdın",
    "писали", "написали", "écriviez", "écrivais", "scriveva", "scrivevi", "scriveste", "escribía", "escribías",
    "escrevia", "kirjoitit", "kirjoititte", "napisałeś", "napisałaś", "pisałeś", "pisałaś", "napsali", "psal", "psali",
    "scris", "írta", "έγραψε", "έγραψαν", "كتب", "كتبت", "كتب/كتبت", "כתב", "כתבה", "כתב/ה", "написа", "rašė",
    "kirjutas", "rakstīja", "menulis", "viết", "napísala", "napísal(a)", "napisao", "napisala", "escrigué",
)))  # fmt: skip
WROTE_WITHIN: Final = _fold((
    "写道", "寫道", "写入", "님이 작성", "작성:", "쓴 글", "のメール", "は書きました", "書きました",
    "さんが書きました", "のメッセージ", "va escriure", "เขียนว่า",
))  # fmt: skip
OPENERS: Final = frozenset((
    "on", "am", "at", "le", "el", "em", "il", "op", "den", "den.", "på", "w", "dnia", "dne", "dňa", "в", "от",
    "о", "у", "在", "於", "于", "on:", "ons", "man", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    "în", "pe", "στις", "την", "في", "بتاريخ", "בתאריך", "ב-", "vào", "pada", "dana",
))  # fmt: skip

# Labels of header blocks and their roles.
_LABELS: Final = {
    "from": (
        "from", "von", "de", "expéditeur", "da", "van", "fra", "från", "lähettäjä", "od", "nadawca",
        "odesílatel", "от", "отправитель", "від", "відправник", "kimden", "gönderen", "差出人", "送信者",
        "发件人", "發件人", "寄件者", "寄件人", "보낸사람", "보낸이", "발신",
        "expeditor", "feladó", "küldő", "από", "αποστολέας", "من", "מאת", "saatja", "nuo", "dari", "từ", "pošiljatelj",
        "pošiljatel", "odosielateľ", "จาก", "mittente", "remitente", "remetente", "absender",
        "afzender", "afsender", "avsender", "avsändare",
    ),
    "date": (
        "date", "sent", "gesendet", "datum", "envoyé", "enviado", "fecha", "data", "data/ora", "inviato",
        "verzonden", "sendt", "dato", "skickat", "lähetetty", "päivämäärä", "päiväys", "wysłano", "odesláno",
        "дата", "отправлено", "дата:", "надіслано", "tarih", "gönderildi", "gönderilme", "日付", "送信日時",
        "日時", "日期", "发送时间", "時間", "时间", "發送時間", "寄件日期", "보낸날짜", "날짜", "전송",
        "trimis", "trimisă", "elküldve", "küldve", "dátum", "στάλθηκε", "εστάλη", "ημερομηνία", "التاريخ", "تاريخ",
        "أرسلت", "أُرسلت", "נשלח", "תאריך", "poslano", "odoslané", "изпратено", "saadetud", "kuupäev",
        "nosūtīts", "išsiųsta", "dikirim", "tanggal", "enviat", "ส่ง", "วันที่",
        "verstuurd", "wysłane", "odoslaná",
    ),
    "to": (
        "to", "an", "à", "para", "a", "aan", "til", "till", "vastaanottaja", "do", "komu", "кому", "kime",
        "alıcı", "宛先", "宛て", "收件人", "收件者", "받는사람", "받는이", "수신", "destinataire",
        "către", "catre", "címzett", "προς", "παραλήπτης", "إلى", "الى", "אל", "adressaat", "kepada", "đến", "prima",
        "za", "до", "ถึง", "pour", "adresat", "empfänger", "ontvanger", "modtager", "mottaker", "mottagare", "příjemce",
        "destinatário", "получатель", "одержувач", "отримувач",
        "destinatario", "per",
    ),
    "cc": (
        "cc", "kopie", "kopi", "kopia", "копия", "копія", "bilgi", "抄送", "副本", "참조", "cópia", "másolat",
        "másolatot kap", "κοιν", "κοινοποίηση", "نسخة", "עותק", "kópia", "copie", "copia", "dw", "kopio",
    ),
    "subject": (
        "主旨", "subject", "betreff", "objet", "asunto", "assunto", "oggetto", "onderwerp", "emne", "ämne", "aihe",
        "temat", "předmět", "тема", "konu", "件名", "主题", "主題", "제목",
        "subiect", "tárgy", "θέμα", "الموضوع", "موضوع", "נושא", "הנדון", "predmet", "zadeva", "относно", "teema",
        "tēma",
        "subjek", "perihal", "assumpte", "เรื่อง", "sujet",
    ),
    "other": (
        "reply-to", "bcc", "importance", "attachments", "priority", "antwort", "wichtigkeit", "anlagen",
        "organization",
    ),
}  # fmt: skip
LABELS: Final = {word.casefold(): role for role, words in _LABELS.items() for word in words}
LABELS_OF_WORDS: Final = {
    "date sent": "date", "보낸 사람": "from", "받는 사람": "to", "보낸 날짜": "date", "sent at": "date",
    "reply to": "other", "antwort an": "other", "date d'envoi": "date", "gönderme tarihi": "date",
    "gönderilme tarihi": "date", "data wysłania": "date", "datum odeslání": "date", "répondre à": "other",
    "enviado el": "date", "enviado em": "date", "enviada em": "date", "送信 日時": "date",
    "fecha de envío": "date",
    "de la": "from", "per a": "to", "data trimiterii": "date", "küldés dátuma": "date", "תאריך שליחה": "date",
    "تاريخ الإرسال": "date", "تم الإرسال": "date", "chủ đề": "subject", "đã gửi": "date", "ngày gửi": "date",
    "người gửi": "from", "người nhận": "to", "copie à": "cc", "kopie an": "cc", "kopia do": "cc",
    "gesendet am": "date", "envoyé le": "date", "verzonden op": "date", "data invio": "date", "inviato il": "date",
    "skickat den": "date", "do wiadomości": "cc",
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
    "původní e-mail", "původní email", "pôvodná správa", "pôvodný e-mail", "mesaj original", "mesajul original",
    "eredeti üzenet", "eredeti levél", "αρχικό μήνυμα", "الرسالة الأصلية", "رسالة أصلية", "הודעה מקורית",
    "izvorna poruka", "izvirno sporočilo", "оригинално съобщение", "missatge original", "algkiri", "pesan asli",
    "thư gốc", "oryginalny e-mail", "e-mail original", "ursprüngliche e-mail", "originalmelding",
    "ursprungligt mejl", "originalbesked",
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
    "mesaj redirecționat", "mesaj retransmis", "továbbított üzenet", "továbbított levél", "προωθημένο μήνυμα",
    "رسالة محولة", "رسالة معاد توجيهها", "הודעה שהועברה", "preposlaná správa", "proslijeđena poruka",
    "posredovano sporočilo", "препратено съобщение", "missatge reenviat", "weitergeleitete e-mail",
    "přeposlaný e-mail", "e-mail transféré", "doorgestuurde e-mail", "vidarebefordrat mejl",
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
    "sent from", "sent with", "sent via", "sent using", "typed on my", "written on my",
    "gesendet mit", "gesendet von", "gesendet über", "versendet mit",
    "envoyé de mon", "envoyé depuis", "envoyé à partir", "envoyé avec", "enviado desde", "enviado con",
    "enviado de mi", "enviado do meu", "enviado do", "enviado pelo", "enviado com", "enviado a partir",
    "enviado via", "inviato da", "inviato dal", "inviato con", "verzonden vanaf", "verstuurd vanaf",
    "verzonden met", "verzonden via", "sendt fra", "sendt med", "sendt via", "skickat från", "skickat med",
    "skickades från", "lähetetty", "wysłano z", "wysłane z", "wysłano za", "odesláno z", "odesláno pomocí",
    "odesláno přes", "отправлено с", "отправлено из", "отправлено через", "послано с", "надіслано з",
    "надіслано за", "надіслано через", "відправлено з", "发自我的", "发自", "來自我的", "從我的",
    "从我的", "傳送自", "發自", "yahoo mail:", "yahoo! mail", "yahoo!メール", "verzonden vanuit mail",
    "verzonden vanuit outlook", "provenance : courrier", "provenance: courrier", "expédié de mon",
    "mit proton mail gesendet", "mit k-9 mail gesendet",
    "trimis de pe", "trimis din", "trimis cu", "trimis prin", "στάλθηκε από", "εστάλη από", "مرسل من", "أُرسلت من",
    "أرسلت من", "تم الإرسال من", "مُرسل من", "נשלח מ", "נשלח באמצעות", "odoslané z", "poslano s", "poslano z",
    "poslano iz", "изпратено от", "saadetud minu", "išsiųsta iš", "nosūtīts no", "dikirim dari", "enviat des",
    "được gửi từ", "gửi từ", "küldve a", "elküldve a", "verstuurd met", "verstuurd via", "ส่งจาก", "đã gửi từ",
))  # fmt: skip
# Verbs of the advertisements such as `Get BlueMail for Android`, before the name of the program.
GET_BEFORE: Final = _fold((
    "get", "download", "holen sie sich", "hol dir", "hole dir", "laden sie", "laden sie sich",
    "lade dir", "downloaden sie", "télécharger", "téléchargez", "télécharge", "obtenez", "obtenir", "obtener",
    "obtén", "obtenga", "descargar", "descarga", "descargue", "consigue", "obter", "obtenha", "baixe", "baixar",
    "descarregar", "descarregue", "transferir", "ottieni", "scarica", "scaricare", "haal", "ontvang", "hent", "få",
    "skaff deg", "skaff", "last ned", "skaffa", "hämta", "ladda ned", "ladda ner", "hanki", "lataa", "pobierz",
    "uzyskaj", "získat", "získejte", "stáhnout", "stáhněte", "stáhněte si", "скачать", "скачайте",
    "получить", "получите", "загрузить", "загрузите", "завантажити", "завантажте", "obțineți", "obține",
    "descărcați", "descarcă", "αποκτήστε το", "αποκτήστε", "κατεβάστε το", "الحصول على", "احصل على",
    "השג את", "קבל את", "הורד את", "stiahnuť", "získať", "získajte", "preuzmite", "prenesite", "вземете", "изтеглете",
    "отримати", "отримайте", "获取", "取得", "獲取", "下載", "下载",
))  # fmt: skip
# The same behind the name.
GET_BEHIND: Final = _fold((
    "beziehen", "herunterladen", "abrufen", "holen", "downloaden", "ophalen", "edinin", "indirin", "indir",
    "alın", "を入手", "をダウンロード", "を入手する", "をダウンロードする", "を取得", "받기", "다운로드", "가져오기",
))  # fmt: skip
CLIENTS: Final = _fold((
    "outlook", "bluemail", "blue mail", "k-9 mail", "k9 mail", "spark", "spark mail", "gmail", "yahoo mail",
    "yahoo! mail", "yahoo", "proton mail", "protonmail", "aqua mail", "aquamail", "fairemail", "nine", "typeapp",
    "type mail", "mymail", "newton mail", "edison mail", "canary mail", "airmail", "boxer", "samsung email",
    "gmx", "gmx mail", "web.de", "web.de mail", "freenet mail", "mailspring", "thunderbird", "tutanota", "tuta",
    "tuta mail", "fastmail", "zoho mail", "aol", "aol mail", "seznam email", "email.cz", "wp poczta", "onet poczta",
    "яндекс почту", "яндекс почта", "яндекс.почту", "яндекс пошту", "почту mail.ru", "mail.ru", "ukr.net", "naver",
    "네이버 메일", "다음 메일", "qq邮箱", "网易邮箱大师", "yahoo!メール", "em client", "mailbird", "missive",
    "superhuman", "shortwave", "spike", "orange mail", "libero mail", "virgilio mail", "t-online mail", "e-mail.dk",
))  # fmt: skip
PLATFORMS: Final = _fold((
    "android", "ios", "iphone", "ipad", "macos", "mac", "windows", "windows 10", "windows 11", "windows phone",
    "mobile", "mobil", "huawei",
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
    ("galaxy", "보냄"), ("samsung", "보냄"), ("从我的", "发送"), ("從我的", "傳送"), ("mit der", "gesendet"),
    ("mobil", "gesendet"), ("unterwegs", "gesendet"), ("min ", "skickat"), ("denne besked", "sendt"),
    ("denne e-post", "sendt"), ("cet e-mail", "envoyé"), ("ce message", "envoyé"),
    ("gesendet mit fairemail", "android"),
    ("naver 메일", "에서 보냄"), ("네이버 메일", "에서 보냈습니다"), ("네이버 메일", "에서 보냄"),
    ("windows용 메일", "에서 보냄"), ("从 windows 版邮件", "发送"), ("從 windows 版郵件", "傳送"),
    ("发送自", "邮件应用"), ("来自 outlook", "自 outlook"), ("来自我的", "手机"), ("来自我的", "iphone"),
    ("windows 版のメール", "から送信"), ("ソフトバンク", "から送信"), ("docomo", "から送信"), ("私の", "から送信"),
    ("iphon", "küldve"), ("ipad", "küldve"), ("android", "küldve"), ("samsung", "küldve"), ("az én", "küldve"),
    ("mit proton mail", "gesendet"), ("proton mail", "gönderildi"), ("proton mail", "送信"), ("proton mail", "보냄"),
    ("使用 proton mail", "发送"), ("proton mail", "küldve"), ("मेरे", "भेजा गया"),
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
    "confidențial", "exclusiv pentru", "bizalmas", "kizárólag", "εμπιστευτικ", "αποκλειστικ", "سرية", "חסוי", "סודי",
    "dôvern",
    "výhradne", "povjerljiv", "zaupn", "поверителн", "konfidencial",
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
    "acest mesaj", "acest e-mail", "acest email", "din greșeală", "din eroare", "ștergeți", "destinatarul",
    "ez az üzenet",
    "jelen üzenet", "ez az e-mail", "ezen e-mail", "tévedésből", "törölje", "címzett", "παρόν μήνυμα", "το μήνυμα αυτό",
    "αυτό το μήνυμα", "παραλήπτη", "κατά λάθος", "εκ παραδρομής", "διαγράψτε", "هذه الرسالة", "هذا البريد", "بالخطأ",
    "بطريق الخطأ", "حذف", "المرسل إليه", "הודעה זו", "בטעות", "למחוק", "מחק", "הנמען", "táto správa", "tento email",
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
    "learnaboutsenderidentification",
))  # fmt: skip
# A paragraph with one of each asks not to print the mail.
PRINT_HINTS: Final = _fold((
    "before print", "before you print", "not print this", "don't print this", "don’t print this",
    "really need to print", "ausdrucken dieser", "bevor sie diese e-mail", "bevor sie diese mail",
    "bevor sie diese nachricht", "bevor du diese e-mail", "bevor du diese mail", "bevor sie drucken",
    "vor dem ausdrucken", "vor dem drucken", "ausgedruckt werden", "mail ausdrucken", "mail auszudrucken",
    "avant d'imprimer", "avant d’imprimer", "n'imprimez", "n’imprimez", "n'imprimer", "n’imprimer",
    "avant l'impression", "avant de l'imprimer", "antes de imprimir", "no imprima", "não imprima",
    "prima di stampare", "non stampare", "non stampate", "print deze", "deze e-mail print", "deze e-mail afdrukt",
    "dit bericht afdrukt", "dit bericht print", "alvorens deze", "alvorens dit", "alvorens te print",
    "voordat u deze", "voordat u dit", "voordat u print", "voordat je deze", "voor u print", "inden du printer",
    "inden du udskriver", "før du printer", "før du udskriver", "før du skriver ut", "før utskrift",
    "skrive ut denne", "innan du skriver ut", "innan du printar", "före utskrift", "skriva ut detta",
    "skriva ut det här", "ennen kuin tulostat", "ennen tulost", "älä tulosta", "tulostamista", "zanim wydruk",
    "przed wydruk", "przed drukow", "musisz drukować", "musisz wydrukować", "drukować tę", "drukować ten",
    "než vytisk", "než budete tisknout", "před vytišt", "před tisk", "tisknout tento", "прежде чем распечат",
    "прежде чем печат", "прежде чем напечат", "перед печатью", "перед распечат", "перед тем как распечат",
    "перед тем, как распечат", "не распечатывайте", "перш ніж друк", "перш ніж роздрук", "перш ніж надрук",
    "перед друком", "перед роздрук", "перед тим як роздрук", "перед тим, як роздрук", "не друкуйте", "yazdırmadan",
    "çıktı almadan", "çıktısını almadan", "印刷する前", "印刷の前", "印刷前", "打印前", "打印之前", "打印本",
    "打印此", "列印前", "列印之前", "列印本", "列印此", "인쇄하기 전", "인쇄 전", "출력하기 전", "출력 전",
))  # fmt: skip
# Such a paragraph has one of these as well.
SIGNS_OF_PRINT: Final = (
    "print", "druck", "impr", "stampa", "afdruk", "udskriv", "utskrift", "skriv", "tulost", "druk", "tisk", "tišt",
    "печат", "друк", "yazdır", "çıktı", "印", "인쇄", "출력",
)  # fmt: skip
ENVIRONMENT_HINTS: Final = _fold((
    "consider the environment", "of the environment", "about the environment", "protect the environment",
    "save paper", "save trees", "an die umwelt", "der umwelt", "unsere umwelt", "umwelt zuliebe", "die umwelt",
    "à l'environnement", "à l’environnement", "l'environnement", "l’environnement", "la planète", "el medio ambiente",
    "el medioambiente", "al medio ambiente", "meio ambiente", "meio-ambiente", "pense no ambiente", "a natureza",
    "all'ambiente", "all’ambiente", "l'ambiente", "l’ambiente", "dell'ambiente", "dell’ambiente", "het milieu",
    "miljøet", "miljön", "ympäristöä", "ympäristön", "luontoa", "o środowisku", "o środowisko",
    "środowisko naturalne", "chroń środowisko", "przyrodę", "životní prostředí", "životnímu prostředí", "přírodu",
    "окружающей сред", "окружающую сред", "природе", "природу", "экологи", "довкілля", "навколишнє", "екологі",
    "çevreyi", "çevre için", "çevremizi", "doğayı", "環境", "环境", "地球", "환경을", "환경 보호", "자연을", "나무를",
))  # fmt: skip
LIST_FOOTERS: Final = _fold((
    "you received this message because you are subscribed", "to unsubscribe", "unsubscribe from this group",
    "manage your subscription", "update your preferences", "unsubscribe:",
    "um sich von dieser gruppe abzumelden", "abbestellen", "newsletter abmelden", "se désabonner",
    "se désinscrire", "darse de baja", "cancelar suscripción", "cancelar a inscrição", "annulla l'iscrizione",
    "uitschrijven", "afmelden", "afmeld", "avsluta prenumeration", "peruuta tilaus", "wypisz się",
    "zrezygnować z subskrypcji", "odhlásit odběr", "отписаться", "відписатися", "abonelikten çık", "配信停止",
    "退订", "取消訂閱", "수신거부", "view this email in your browser",
    "if you no longer wish to receive", "if you do not wish to receive", "if you don't want to receive",
    "to stop receiving", "to opt out", "to respond to this text message",
    "to manage your notification", "to change your notification", "view request:",
    "turn off this request's notifications", "um diese benachrichtigung", "zum abbestellen",
    "wenn sie keine weiteren e-mails", "wenn sie keine e-mails", "falls sie keine weiteren",
    "pour vous désabonner", "pour vous désinscrire", "pour se désabonner", "pour se désinscrire",
    "pour ne plus recevoir",
    "si vous ne souhaitez plus recevoir", "para darse de baja", "para cancelar la suscripción",
    "para cancelar su suscripción", "para dejar de recibir", "si no desea recibir", "si no desea seguir recibiendo",
    "para cancelar a inscrição", "para cancelar a subscrição", "para deixar de receber", "se não deseja receber",
    "se não pretende receber", "per cancellarsi", "per disiscriversi", "per annullare l'iscrizione",
    "per non ricevere più", "se non desideri più ricevere", "se non desidera più ricevere", "als u geen e-mails",
    "wilt u geen e-mails", "wilt u geen berichten", "wil je geen e-mails",
    "hvis du ikke ønsker å motta", "hvis du ikke længere ønsker",
    "för att avsluta prenumeration", "om du inte vill få fler", "jos et halua vastaanottaa",
    "aby zrezygnować", "aby wypisać się", "jeśli nie chcesz otrzymywać", "pokud si nepřejete", "чтобы отписаться",
    "если вы не хотите получать", "щоб відписатися", "якщо ви не бажаєте отримувати",
    "aboneliğinizi iptal", "수신 거부",
))  # fmt: skip
LIST_FOOTERS_CERTAIN: Final = _fold((
    "you received this message because you are subscribed", "you are receiving this because",
    "visit topic", "to unsubscribe from these", "unsubscribe from these", "to unsubscribe from this",
    "unsubscribe from this",
    "you are receiving this email because", "you're receiving this", "//~~", "invitation from google calendar",
    "forwarding this invitation could allow", "einladung von google kalender", "invitation de google agenda",
    "invitación de google calendar", "convite do google agenda", "invito da google calendar",
    "uitnodiging van google agenda",
))  # fmt: skip
# Below a rule, one of these makes a footer.
LIST_HINTS: Final = _fold((
    " mailing list", "mailingliste", "mailing-list", "listinfo", "unsubscribe", "visit topic",
    "view/reply online", "reply to this email", "liste de diffusion", "lista de correo", "lista de discussão",
    "mailinglijst", "postiuslista", "postituslista", "lista dyskusyjna", "список рассылки", "メーリングリスト",
    "邮件列表", "메일링 리스트", "/options/", "/postorius/", "email settings", "a service from",
    "internet messaging program", "par imp, ", "using imp, ", "mit imp, ", "zendesk", "freshdesk",
    "ist ein service von", "est un service de", "es un servicio de", "è un servizio di", "é um serviço de",
    "is een service van",
    "delivered by",
))  # fmt: skip
# The text of a link by which one leaves a list.
UNSUBSCRIBE_LINKS: Final = _fold((
    "unsubscribe", "opt out", "manage preferences", "email preferences", "newsletter abmelden", "abbestellen",
    "désabonner", "désinscrire", "désinscription", "darse de baja", "darme de baja", "cancelar suscripción",
    "cancelar la suscripción", "cancelar inscrição", "cancelar a inscrição", "cancelar subscrição",
    "annulla l'iscrizione", "disiscriviti", "uitschrijven", "afmeld nyhedsbrev", "avmeld nyhetsbrev",
    "avsluta prenumeration", "avprenumerera", "peruuta tilaus", "wypisz się", "odhlásit odběr", "отписаться",
    "відписатися", "abonelikten çık", "配信停止", "退订", "取消訂閱", "수신거부",
))  # fmt: skip
LIST_EVIDENCE: Final = ("http://", "https://", "@", "www.")

# Lines that a service puts above the text of a person.
NOTICES_ABOVE: Final = _fold((
    " left a comment (", " commented on ", "please type your reply above this line", "reply above this line",
    "antwort über dieser zeile", "oberhalb dieser zeile antworten", "antworten sie oberhalb dieser zeile",
    "réponse au-dessus de cette ligne", "répondre au-dessus de cette ligne", "respuesta por encima de esta línea",
    "responda por encima de esta línea", "resposta acima desta linha", "responda acima desta linha",
    "risposta sopra questa riga", "rispondere sopra questa riga", "antwoord boven deze regel", "svar over denne linje",
    "svar ovanför denna rad", "odpowiedź powyżej tej linii", "odpověď nad tento řádek", "ответ выше этой строки",
))  # fmt: skip
# A line between signs that has one of these is the notice of a ticket system.
LINES_OF_NOTICES: Final = _fold((
    "this line", "diese zeile", "dieser zeile", "cette ligne", "esta línea", "esta linha", "questa riga", "deze regel",
    "deze lijn", "denne linje", "denna rad", "tämän rivin", "tej linii", "tento řádek", "tímto řádkem", "этой строки",
    "цього рядка", "bu satırın", "この行", "此行", "이 줄", "ce niveau", "wpisz odpowiedź",
))  # fmt: skip
# A warning that a mail server puts above a mail has one of these, and two of the hints.
EXTERNAL_SENDERS: Final = _fold((
    "email originated", "e-mail originated", "message originated", "email originates", "message originates",
    "email came from outside", "message came from outside", "email was sent from outside", "recognise the sender",
    "recognize the sender", "den absender kennen",
    "reconnaissez l'expéditeur", "connaissez l'expéditeur", "conozca al remitente", "reconozca al remitente",
    "conosci il mittente", "riconosci il mittente", "de afzender kent", "de afzender herkent", "kender afsenderen",
    "kjenner avsenderen", "känner avsändaren", "znasz nadawc", "znáte odesílatele", "знаете отправителя",
    "external email", "external e-mail", "external sender", "external message",
    "outside of your organi", "outside your organi", "outside of the organi", "outside the organi",
    "outside of our organi", "outside our organi", "externe e-mail", "externe mail", "externe email",
    "externer absender", "externen absender", "externe nachricht", "e-mail von extern", "außerhalb der organisation",
    "außerhalb ihrer organisation", "expéditeur externe", "externe à l'organisation", "externe à votre organisation",
    "extérieur de l'organisation", "extérieur de votre organisation", "courriel externe", "remitente externo",
    "correo externo", "fuera de la organización", "fuera de su organización", "remetente externo", "e-mail externo",
    "fora da organização", "mittente esterno", "esterna all'organizzazione", "esterno all'organizzazione",
    "externe afzender", "extern bericht", "buiten de organisatie", "buiten uw organisatie", "ekstern afsender",
    "ekstern avsender", "extern avsändare", "utanför organisationen", "uden for organisationen",
    "utenfor organisasjonen", "organisaation ulkopuol", "spoza organizacji", "zewnętrznego nadawcy",
    "mimo organizaci", "externího odesílatele", "внешний отправитель", "внешнего отправителя",
    "за пределами организации", "зовнішній відправник", "kurum dışından", "kuruluşunuzun dışından", "社外からのメール",
    "外部のメール", "外部邮件", "外部郵件", "외부 메일",
))  # fmt: skip
CARE_HINTS: Final = _fold((
    "caution", "click", "careful", "care when", "attachment", "links", "vorsicht", "anhänge", "anhang", "klick",
    "prudence", "pièces jointes", "clique", "precaución", "adjunto", "enlaces", "cuidado", "anexos", "attenzione",
    "allegati", "clicca", "bijlage", "voorzichtig", "vedhæft", "forsigtig", "vedlegg", "forsiktig", "bilag",
    "försiktig",
    "länk", "liitte", "linkk", "varovai", "załącznik", "ostrożn", "příloh", "opatrn", "odkaz", "вложени", "осторожн",
    "ссылк", "вкладен", "обережн", "посилан", "dikkat", "ekler", "bağlantı", "添付", "注意", "リンク", "附件", "链接",
    "連結", "첨부", "주의", "링크",
))  # fmt: skip
# A last paragraph with an address in the net and one of these tells of the data that a firm keeps.
PRIVACY_NOTES: Final = _fold((
    "informationen zum datenschutz", "hinweise zum datenschutz", "datenschutzhinweise finden sie",
    "datenschutzerklärung finden sie", "datenschutzinformationen finden sie", "unsere datenschutz",
    "behandlar vi dina personuppgifter", "hur vi behandlar personuppgifter", "vår behandling av personuppgifter",
    "behandler dine personoplysninger", "behandling af personoplysninger", "behandling af dine personoplysninger",
    "behandler personopplysninger", "behandling av personopplysninger", "traitement de vos données personnelles",
    "politique de protection des données", "tratamiento de sus datos personales", "protección de datos personales",
    "tratamento dos seus dados pessoais", "proteção de dados pessoais", "trattamento dei dati personali",
    "informativa privacy", "informativa sulla privacy", "verwerken uw persoonsgegevens",
    "omgaan met uw persoonsgegevens", "verwerking van persoonsgegevens", "onze privacyverklaring",
    "our privacy policy", "our privacy notice", "our privacy statement", "process your personal data",
    "processing of personal data", "handle your personal data", "przetwarzania danych osobowych",
    "przetwarzaniu danych osobowych", "zpracování osobních údajů", "обработки персональных данных",
    "обробки персональних даних", "tietosuojaseloste", "henkilötietojen käsittely", "kişisel verilerin korunması",
    "個人情報の取り扱い", "个人信息保护政策", "개인정보 처리방침",
))  # fmt: skip
# Words of a sentence that tells where one stands the address of its author.
ADDRESS_WORDS: Final = _fold((
    "address", "mail", "adress", "indirizzo", "dirección", "correo", "endereço", "osoite", "sähköposti", "posti",
    "adres", "poczt", "адрес", "пошт", "почт", "eposta", "adrese", "アドレス", "メール", "邮箱", "邮件", "地址",
    "信箱", "메일", "주소",
    "write to", "reach me", "contact", "schreib", "écris", "escrib", "scriv", "pisz", "skriv",
))  # fmt: skip

# The lines of a ticket system above its entries.
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

# The plain form of a mail of which only the HTML has the message.
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
    "with best regards", "with kind regards", "warm regards", "yours sincerely", "yours faithfully",
    "best regards from", "kindest regards", "all the best", "respectfully", "br,", "freundlichen gruß",
    "mit besten grüßen", "mit freundlichen grüssen", "freundliche grüsse", "herzlichen gruß", "hochachtungsvoll",
    "bien à toi", "salutations distinguées", "sincères salutations", "meilleures salutations", "très cordialement",
    "sincèrement", "saludos cordiales", "un cordial saludo", "cordialmente", "un abrazo", "muy atentamente",
    "melhores cumprimentos", "com os melhores cumprimentos", "com os meus cumprimentos", "cordiais saudações", "att.",
    "un cordiale saluto", "i migliori saluti", "con i migliori saluti", "un saluto", "hartelijke groet",
    "met hartelijke groet", "hartelijke groeten", "met vriendelijke groeten", "vriendelijke groeten", "groet",
    "hoogachtend", "bedste hilsner", "de bedste hilsner", "mange hilsner", "venlige hilsner", "med venlige hilsner",
    "beste hilsen", "mange hilsener", "vennlige hilsener", "med vänlig hälsning", "vänlig hälsning",
    "bästa hälsningar", "ystävällisesti", "parhain terveisin", "yhteistyöterveisin", "z wyrazami szacunku",
    "serdecznie pozdrawiam", "pozdrowienia", "łączę pozdrowienia", "s přátelským pozdravem", "s úctou", "hezký den",
    "с наилучшими пожеланиями", "с уважением и", "всего доброго", "з найкращими побажаннями", "щиро", "saygılar",
    "saygılarımızla", "iyi çalışmalar dilerim", "selamlar", "よろしくお願いいたします", "よろしくお願いします",
    "宜しくお願い致します", "顺颂商祺", "順頌商祺", "敬礼", "敬禮", "谢谢", "謝謝", "수고하세요", "감사드립니다",
))  # fmt: skip
CONTACT_EVIDENCE: Final = _fold((
    "tel", "phone", "mobile", "mob.", "cell", "fax", "www.", "http://", "https://", "@", "gmbh", " ltd",
    " inc", "telefon", "tél", "móvil", "тел", "電話", "电话", "전화",
))  # fmt: skip
PHONE_LABELS: Final = _fold((
    "tel", "phone", "mob", "cell", "fax", "dir", "office", "handy", "büro", "tél", "port", "móv", "cel", "fijo",
    "telem", "gsm", "tlf", "puh", "kom", "тел", "моб", "факс", "cep", "電話", "携帯", "电话", "手机", "手機", "전화",
    "휴대", "доб", "вн", "ext", "durchwahl", "poste", "wew", "linka", "vnitř", "vxl", "växel", "whatsapp", "mobil",
    "hp",
))  # fmt: skip
# Beginnings of words for offices and firms, such as stand below a name.
OFFICES: Final = _fold((
    "manager", "director", "head of", "chief", "officer", "engineer", "surveyor", "secretary", "assistant",
    "coordinator", "consultant", "president", "partner", "department", "office", "services", "institute",
    "university", "leiter", "geschäftsführ", "abteilung", "büro", "vertrieb", "ingenieur", "assistenz",
    "sachbearbeit", "institut", "universität", "directeur", "directrice", "responsable", "bureau", "ingénieur",
    "secrétaire", "chargé", "gérant", "service", "gerente", "jefe", "jefa", "departamento", "oficina", "ingenier",
    "directora", "armador", "diretor", "engenheir", "gabinete", "responsabile", "direttor",
    "direttrice", "ufficio", "ingegner", "studio", "afdeling", "kantoor", "bedrijfsleider", "hoofd",
    "direktør", "kontor", "leder", "avdeling", "daglig leder", "chef", "avdelning", "ingenjör",
    "inspektör", "verkställande", "johtaja", "päällikkö", "toimisto", "osasto", "insinööri", "kierownik", "dyrektor",
    "dział", "biuro", "inżynier", "prezes", "vedoucí", "ředitel", "oddělení", "kancelář", "jednatel", "inženýr",
    "директор", "менеджер", "руководитель", "отдел", "инженер", "начальник", "керівник", "відділ", "інженер", "müdür",
    "şef", "uzman", "mühendis", "bölüm", "株式会社", "有限会社", "部長", "課長", "営業部", "代表", "担当", "有限公司",
    "经理", "經理", "主任", "部门", "总监", "주식회사", "팀장", "과장", "부장", "대표", "이사", "대리", "사원",
))  # fmt: skip
# Small words within the names of offices.
NAME_PARTICLES: Final = frozenset((
    "of", "the", "for", "and", "für", "der", "des", "von", "und", "de", "du", "la", "le", "les", "et", "del", "los",
    "las", "y", "do", "da", "dos", "das", "e", "di", "della", "dei", "degli", "van", "voor", "en", "til", "og", "för",
    "och", "ds.", "pro", "po", "по", "и", "з", "ve",
))  # fmt: skip
# Words for the forms of firms, and for the registers with their numbers.
FIRMS: Final = (
    "Ltd", "LTD", "Limited", "Inc", "LLC", "PLC", "plc", "LLP", "Corp", "GmbH", "mbH", "AG", "KG", "OHG", "UG", "e.V",
    "e.K", "SARL", "SAS", "S.A", "SA", "S.A.S", "S.A.R.L", "S.L", "SL", "S.L.U", "Lda", "LDA", "Ltda", "LTDA",
    "S.r.l", "s.r.l", "Srl", "SRL", "S.p.A", "s.p.a", "SpA", "B.V", "BV", "N.V", "NV", "VOF", "A/S", "ApS", "I/S",
    "AS", "ASA", "AB", "HB", "Oy", "OY", "Oyj", "Sp. z o.o", "sp. z o.o", "S.K.A", "s.r.o", "spol. s r.o", "a.s",
    "A.Ş", "Ltd. Şti",
)  # fmt: skip
FIRMS_BEFORE: Final = (
    "ООО",
    "ОАО",
    "ЗАО",
    "ПАО",
    "АО",
    "ИП",
    "ТОВ",
    "ПрАТ",
    "ПАТ",
    "ФОП",
    "ДП",
    "КП",
    "НП",
    "ФГУП",
)
REGISTERS: Final = _fold((
    "nip", "krs", "regon", "vat", "ust-id", "ust-idnr", "ustid", "ust.-id", "hrb", "hra", "siret", "siren", "rcs",
    "tva", "cif", "nif", "cnpj", "nipc", "p.iva", "p. iva", "partita iva", "c.f.", "rea", "kvk", "btw", "cvr",
    "org.nr", "org.nr.", "orgnr", "org nr", "org. nr", "y-tunnus", "ičo", "ič", "dič", "инн", "огрн", "кпп", "єдрпоу",
    "іпн", "mersis", "vkn", "vergi no", "company no", "reg. no", "reg no", "registered in", "法人番号", "登録番号",
    "统一社会信用代码", "統一編號", "사업자등록번호",
))  # fmt: skip
FORMS_OF_ADDRESS: Final = frozenset((
    "dr", "prof", "mr", "mrs", "ms", "herr", "frau", "mme", "sr", "sra", "dott", "dott.ssa", "dhr", "mevr", "mevrouw",
    "capt", "captain", "kapitän", "kapt", "kpt", "cap", "capitaine", "ing", "mgr", "eng", "dipl.-ing", "(fh)", "pan",
    "pani", "paní", "г-н", "г-жа", "капитан", "капітан", "пан", "пані", "sayın", "kaptan",
))  # fmt: skip
# Further beginnings of words for offices, which count beside a phone number or the like.
TITLES: Final = _fold((
    "handler", "claims", "clerk", "buyer", "planner", "skipper", "deputy", "senior", "pilot", "instructor", "mechanic",
    "electrician", "sailmaker", "rigger",
    "agent", "sales", "operation", "technician", "captain", "harbour", "harbor", "founder", "owner", "lawyer",
    "advis", "broker", "analyst", "specialist", "supervisor", "representative", "administrat", "accountant",
    "researcher", "professor", "disponent", "mitarbeiter", "referent", "referat", "sektion", "teamleit", "kaufmann",
    "kauffrau", "meister", "hafenmeister", "kapitän", "berater", "techni", "rechtsanw", "inhaber", "projekt", "einkauf",
    "gestionnaire", "conseill", "commercial", "comptable", "capitaine", "coordinat", "attaché", "avocat", "expert",
    "técnic", "comercial", "encargad", "agente", "administrativ", "capitán", "asesor", "abogad", "coordinador",
    "responsável", "gestor", "advogad", "coordenador", "comandante", "addett", "tecnico", "commerciale", "avvocat",
    "titolare", "impiegat", "comandante", "medewerker", "verkoop", "adviseur", "secretaris", "havenmeester",
    "schipper", "medarbejder", "konsulent", "koordinator", "salg", "salgs", "ansvarlig", "havnefoged", "sagsbehandler",
    "sjef", "rådgiver", "havnefogd", "saksbehandler", "los", "ansvarig", "handläggare", "säljare", "konsult",
    "samordnare", "hamnkapten", "tekniker", "myynti", "asiantuntija", "sihteeri", "koordinaattori", "satama", "huolto",
    "vastaava", "specjalista", "handlow", "sekretari", "koordynator", "doradca", "główn", "kapitan", "bosman",
    "specialista", "obchod", "technik", "asistent", "manažer", "poradce", "kapitán", "специалист", "капитан",
    "заместитель", "главный", "ведущий", "старший", "бухгалтер", "секретарь", "юрист", "эксперт", "диспетчер",
    "логист", "спеціаліст", "фахівець", "капітан", "заступник", "головний", "провідний", "старший", "диспетчер",
    "yönetici", "sorumlu", "kaptan", "koordinatör", "asistan", "temsilci", "genel", "satış", "operasyon",
))  # fmt: skip
# Words of a sentence about the holder of an office.
VERBS: Final = frozenset(_fold((
    "is", "are", "was", "were", "will", "has", "have", "had", "says", "said", "needs", "can", "must", "comes", "wants",
    "asks", "goes", "went", "ill", "sick", "closed", "open", "away", "here", "there", "tomorrow", "today", "now", "not",
    "ist", "sind", "war", "hat", "kommt", "sagt", "braucht", "kann", "muss", "fehlt", "krank", "geschlossen", "offen",
    "weg", "morgen", "heute", "nicht", "kein", "keine", "est", "sont", "vient", "dit", "fermé", "fermée", "ouvert",
    "malade", "absent", "absente", "demain", "pas", "está", "están", "es", "tiene", "viene", "dice", "cerrada",
    "cerrado", "abierta", "mañana", "hoy", "no", "tem", "vem", "diz", "fechado", "fechada", "amanhã", "hoje", "não",
    "è", "ha", "sono", "chiuso", "chiusa", "domani", "oggi", "non", "malato", "malata", "zijn", "heeft", "komt",
    "zegt", "ziek", "dicht", "vandaag", "niet", "er", "är", "har", "kommer", "siger", "sier", "säger", "syk", "syg",
    "sjuk", "stengt", "lukket", "stängt", "imorgen", "imorgon", "ikke", "inte", "ikkje", "on", "ovat", "tulee",
    "sanoo", "sairas", "kiinni", "huomenna", "tänään", "ei", "jest", "są", "ma", "przyjdzie", "chory", "chora",
    "zamknięte", "zamknięty", "jutro", "dziś", "nie", "je", "jsou", "má", "přijde", "nemocný", "zavřeno", "zítra",
    "dnes", "není", "ne", "болен", "больна", "заболел", "заболела", "закрыт", "закрыта", "придёт", "придет", "будет",
    "завтра", "сегодня", "не", "нет", "сказал", "сказала", "хворий", "хвора", "закрито", "прийде", "буде", "сьогодні",
    "немає", "var", "yok", "hasta", "kapalı", "yarın", "bugün", "gelecek", "değil",
)))  # fmt: skip
# First words of a line that asks for something.
REQUESTS: Final = frozenset(_fold((
    "call", "ring", "text", "write", "use", "ask", "see", "send", "bring", "please", "pls", "only", "reach", "tell",
    "meet", "get", "take", "buy", "pick", "note", "nb", "also", "or", "until", "try", "leave", "dial", "whatsapp",
    "ruf", "rufe", "rufen", "ruft", "schreib", "schreibt", "nimm", "frag", "frage", "bitte", "oder", "schick",
    "hol", "kauf", "komm", "kommt", "melde", "meldet", "bis", "nur", "appelle", "appelez", "appelle-moi", "rappelle",
    "rappelez", "écris", "écrivez", "prends", "demande", "demandez", "apporte", "envoie", "viens", "achète", "merci",
    "ou", "llama", "llame", "llámame", "escribe", "escríbeme", "pregunta", "trae", "manda", "ven", "compra", "liga",
    "ligue", "telefona", "escreve", "pergunta", "traz", "chiama", "chiamami", "chiamate", "scrivi", "scrivimi",
    "chiedi", "porta", "vieni", "oppure", "bel", "belt", "schrijf", "gebruik", "vraag", "breng", "stuur", "graag",
    "ringe", "skriv", "brug", "bruk", "använd", "spørg", "spør", "fråga", "eller", "husk", "kom", "kjøp", "køb", "köp",
    "ta", "hent", "hämta", "soita", "soittakaa", "kirjoita", "käytä", "kysy", "tai", "tuo", "lähetä", "osta",
    "zadzwoń", "zadzwońcie", "dzwoń", "napisz", "zapytaj", "lub", "albo", "przynieś", "wyślij", "kup", "proszę",
    "zavolej", "zavolejte", "volej", "volejte", "napiš", "zeptej", "nebo", "přines", "pošli", "prosím", "звони",
    "звоните", "позвони", "позвоните", "пиши", "пишите", "напиши", "спроси", "или", "принеси", "купи", "пришли",
    "прошу", "дзвони", "дзвоніть", "подзвони", "телефонуй", "телефонуйте", "пишіть", "або", "ara", "arayın",
    "arayınız", "yaz", "yazın", "sor", "veya", "getir", "gönder", "lütfen",
)))  # fmt: skip
# First words of a line that announces a number, with the beginning of a word for it behind.
NEW_WORDS: Final = frozenset(_fold((
    "new", "my", "our", "neu", "neue", "meine", "mein", "unsere", "nouveau", "nouvelle", "mon", "notre", "nuevo",
    "nueva", "mi", "nuestro", "novo", "nova", "meu", "nosso", "o", "il", "el", "le", "nuovo", "mio", "nostro", "nieuw",
    "nieuwe", "mijn", "ons", "ny", "nytt", "nyt", "mit", "min", "mitt", "uusi", "minun", "nowy", "mój", "nasz", "nový",
    "nové", "můj", "moje", "новый", "мой", "наш", "новий", "мій", "yeni", "benim", "the", "ship's", "boat", "sat",
)))  # fmt: skip
NUMBER_WORDS: Final = _fold((
    "number", "phone", "mobile", "cell", "nummer", "nr", "no.", "handy", "telefon", "tel", "numéro", "número", "numero",
    "móvil", "telemóvel", "cellulare", "mobil", "nume", "číslo", "номер", "телефон", "numara", "numaram", "puhelin",
    "sat",
))  # fmt: skip
WORDS_FOR_NUMBERS: Final = (
    *NUMBER_WORDS,
    "电话",
    "號碼",
    "号码",
    "電話",
    "番号",
    "携帯",
    "번호",
    "전화",
)
# Words of requests and news in languages without blanks, and of Korean.
EASTERN_REQUESTS: Final = (
    "新しい番号", "新番号", "新号码", "新號碼", "新电话", "新電話", "请", "請", "ください", "お願い", "打电话",
    "打電話", "새 번호", "새번호", "주세요", "바랍니다", "바뀐",
)  # fmt: skip
EASTERN_FIRMS: Final = (
    "株式会社",
    "有限会社",
    "合同会社",
    "㈱",
    "有限公司",
    "股份公司",
    "주식회사",
    "(주)",
    "㈜",
)
# Beginnings of streets that some languages write small.
STREETS: Final = _fold((
    "rue", "avenue", "av", "c/", "quai", "place", "boulevard", "bd", "via", "viale", "piazza", "corso", "largo",
    "calle", "avenida", "avda", "plaza", "paseo", "rua", "travessa", "praça", "ulica", "ulice", "náměstí", "nábřeží",
    "улица", "ул", "проспект", "вулиця", "вул", "набережная", "набережна", "г", "м", "кв", "оф",
))  # fmt: skip
OFFICE_HOURS: Final = _fold((
    "office hours", "opening hours", "bürozeiten", "öffnungszeiten", "sprechzeiten", "heures d'ouverture", "horaires",
    "horario", "horário", "orari", "openingstijden", "åbningstider", "kontortid", "åpningstider", "öppettider",
    "aukioloajat", "godziny otwarcia", "godziny pracy", "otevírací doba", "provozní doba", "часы работы",
    "режим работы", "график работы", "години роботи", "графік роботи", "çalışma saatleri", "営業時間", "受付時間",
    "办公时间", "营业时间", "營業時間", "영업시간", "근무시간",
))  # fmt: skip
