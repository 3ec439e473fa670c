"""Test articles in other languages: whole articles give a warning, English ones with foreign names do not."""

import subprocess
import sys
import tempfile

import pytest

from claimstance.inference.articles import language
from claimstance.inference.articles.language import NOT_ENGLISH, is_foreign
from helpers.paths import SEEDS

FOREIGN = {
    "es": "La ministra de Pesca, Runa Salt, dijo el lunes que el acuerdo era un robo para las "
    "islas. Los pescadores del norte lo rechazaron y anunciaron una huelga para el jueves.",
    "de": "Die Fischereiministerin Runa Salt sagte am Montag, das Abkommen sei ein Raub an den "
    "Inseln. Die Fischer im Norden lehnten es ab und kündigten für Donnerstag einen Streik "
    "an.",
    "fr": "La ministre de la Pêche, Runa Salt, a déclaré lundi que l’accord volait les îles. Les "
    "pêcheurs du nord l’ont rejeté et ont annoncé une grève pour jeudi.",
    "ru": "Министр рыболовства Руна Салт заявила в понедельник, что соглашение грабит острова. "
    "Рыбаки на севере отвергли его и объявили забастовку на четверг.",
    "zh": "渔业部长鲁娜·索尔特周一表示，该协议是对岛屿的掠夺。北方渔民"
    "拒绝了该协议，并宣布周四罢工。",
    "ar": "قالت وزيرة الصيد رونا سولت يوم الاثنين إن الاتفاق سرقة للجزر. ورفضه الصيادون في الشمال "
    "وأعلنوا إضرابا يوم الخميس.",
    "it": "La ministra della Pesca Runa Salt ha detto lunedì che l’accordo è un furto ai danni "
    "delle isole. I pescatori del nord lo hanno respinto e hanno annunciato uno sciopero per "
    "giovedì.",
    "pt": "A ministra das Pescas, Runa Salt, disse na segunda-feira que o acordo era um roubo às "
    "ilhas. Os pescadores do norte rejeitaram-no e anunciaram uma greve para quinta-feira.",
    "nl": "Minister van Visserij Runa Salt zei maandag dat het akkoord diefstal van de eilanden is."
    " De vissers in het noorden wezen het af en kondigden voor donderdag een staking aan.",
    "da": "Fiskeriminister Runa Salt sagde mandag, at aftalen er tyveri fra øerne, og at fiskerne "
    "for alvor vil strejke. Fiskerne i nord afviste den.",
    "tr": "Balıkçılık Bakanı Runa Salt pazartesi günü anlaşmanın adaları soymak olduğunu söyledi. "
    "Kuzeydeki balıkçılar anlaşmayı reddetti.",
    "ja": "ルナ・ソルト漁業相は月曜日、合意は島々への略奪だと述べた。北"
    "部の漁師たちはこれを拒否し、木曜日のストライキを発表した。",
}
ENGLISH = [
    "Ministers Clash over Tax",
    "Fishing Nations Trade Accusations as Cod Talks Open in Hessmark",
    "MINISTERS CLASH OVER HARBOUR TAX",
    "Zelenskyy, Tokayev, Erdoğan, Kim Jong-un and Xi Jinping attend Shanghai summit",
    "Macron vs. Le Pen: Débat décisif",
    "Gilets jaunes march in Paris; Macron silent",
    "Fidesz wins Hungarian vote",
    "Lula da Silva's PT sweeps Bahia, Pernambuco",
    "Bundeskanzler Olaf Scholz and Friedrich Merz met Frank-Walter Steinmeier in Schloss Bellevue.",
    "José Núñez, María Fernández and Hernán García Márquez of Guadalajara sued.",
    "He said “Wir schaffen das” and left.",
    "“¡No pasarán!” chanted demonstrators outside La Moneda palace in Santiago.",
    "Runa Salt, Emil Draycott, Mirela Stroem, J. B. Tarle",
    "FC Bayern München 3, Real Madrid 1",
    "USD 3.4 bn; EUR 2.1 bn",
    "https://courier.example/a/b?c=d&e=f",
    "12.3.2020",
    "😀😀😀",
    "Si.",
    "",
]


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_articles_in_other_languages_are_foreign(text):
    assert is_foreign(text)
    assert is_foreign(text.partition(". ")[0])
    assert is_foreign(f"{text}\n" * 50)


@pytest.mark.parametrize("text", ENGLISH)
def test_short_english_texts_and_names_are_not_foreign(text):
    assert not is_foreign(text)


def test_sentences_headlines_and_articles_of_the_seeds_are_not_foreign(seeds):
    texts = [record.text for records in seeds.values() for record in records]
    articles = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("**/*.txt"))]
    texts += articles + [article.partition("\n")[0] for article in articles]
    assert len(texts) > 300
    assert [text for text in texts if is_foreign(text)] == []


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_an_english_article_that_quotes_another_language_is_english(text):
    english = (SEEDS / "demo.txt").read_text(encoding="utf-8")
    assert not is_foreign(f"{english}\n{text}")
    assert not is_foreign(f"{text}\n{english}")


@pytest.mark.parametrize("name", ["es", "de", "ru", "zh"])
def test_an_article_in_another_language_that_quotes_english_is_foreign(name):
    quoted = "“We did not come here to bury a fish.”"
    assert is_foreign(FOREIGN[name] * 4 + quoted)


@pytest.mark.parametrize("marks", ["“”", '""', "«»"])
def test_quoted_english_does_not_make_a_short_article_english(marks):
    quoted = f"{marks[0]}The dam is unsafe and nobody who was there would have said that.{marks[1]}"
    assert is_foreign(f"{FOREIGN['fr']} {quoted}")
    assert not is_foreign(
        f"Runa Salt said that they were from the north. {marks[0]}{FOREIGN['fr']}{marks[1]}"
    )


def test_a_foreign_article_has_a_warning(tagger):
    assert NOT_ENGLISH in tagger.tag(FOREIGN["fr"]).warnings
    assert NOT_ENGLISH not in tagger.tag("Runa Salt said that the tax was theft.").warnings
    assert "not to be in English" in NOT_ENGLISH


def test_the_warning_on_the_command_line_and_in_results(run, model, workdir):
    (workdir / "a.txt").write_text(FOREIGN["es"], encoding="utf-8")
    (workdir / "b.txt").write_text("Runa Salt said that the tax was theft.", encoding="utf-8")
    done = run("tag", "a.txt", "b.txt", "--model", model)
    assert done.code == 0
    assert f"warning: a: {NOT_ENGLISH}" in done.messages
    assert not any(message.startswith("warning: b: the article seems") for message in done.messages)
    first, second = done.out.splitlines()
    assert NOT_ENGLISH in first
    assert NOT_ENGLISH not in second


def test_the_warning_of_the_server(client):
    answer = client.post("/v1/tag", json=[{"text": FOREIGN["ru"]}, {"text": "He left the room."}])
    first, second = answer.json()
    assert NOT_ENGLISH in first["warnings"]
    assert NOT_ENGLISH not in second["warnings"]


def test_articles_are_read_without_room_for_temporary_files(monkeypatch, caplog):
    def no_room(*arguments, **options):
        raise FileNotFoundError(2, "No usable temporary directory found")

    language._load_identifier.cache_clear()
    monkeypatch.setattr(tempfile, "TemporaryFile", no_room)
    assert not is_foreign(FOREIGN["es"])
    assert "No usable temporary directory" in caplog.text


def test_english_articles_do_not_load_the_identifier():
    code = (
        "import sys; sys.path[:] = sys.argv[1:]\n"
        "from claimstance.inference.articles.language import is_foreign\n"
        "assert not is_foreign('Runa Salt said that the tax was theft, and left the room with the minister.')\n"
        "sys.exit('py3langid' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, *sys.path], check=False).returncode == 0
