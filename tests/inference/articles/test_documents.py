"""Test articles in PDF and Word files: paragraphs made of lines, warnings about guesses, and hostile files."""

import io
import sys
from pathlib import Path

import pytest

from claimstance.inference.articles import pdf as pdf_reader
from claimstance.inference.articles import word
from claimstance.inference.articles.article import RawFile
from claimstance.inference.articles.pdf import join_pages
from claimstance.inference.articles.sources import Article, read_articles
from claimstance.model.errors import InputError
from helpers.documents import altered, assembled, docx, pdf, stream

GUESSED = (
    "paragraphs, and words broken at line ends, were put together by guessing; headers, captions and columns of "
    "the pages may stand between"
)
LINES = [
    "Levee Inquiry: Engineer Blames Ministry",
    "The levee failed because “nobody signed for it”, the engineer Lukas Zuraw told an in-",
    "quiry on Sunday. He spoke for an hour, and named the well-known Mr Weil, whom the min-",
    "istry had paid.",
    "The ministry denied that. Its spokeswoman, Hana Marsh, said that every report had been",
    "read (and signed).",
]


def read(name, data):
    Path(name).write_bytes(data)
    (item,) = read_articles([name])
    return item


# PDF


def test_paragraphs_and_broken_words_of_a_pdf(workdir):
    pytest.importorskip("pypdf")
    article = read("a.pdf", pdf(LINES))
    assert article == Article(
        "a",
        "\n".join(
            [
                LINES[0],
                "The levee failed because “nobody signed for it”, the engineer Lukas Zuraw told an inquiry on Sunday. He spoke "
                "for an hour, and named the well-known Mr Weil, whom the ministry had paid.",
                "The ministry denied that. Its spokeswoman, Hana Marsh, said that every report had been read (and signed).",
            ]
        ),
        LINES[0],
        (GUESSED,),
    )


def test_a_paragraph_continues_across_pages_without_headers_and_footers():
    texts = (
        "The tax, said Runa Salt, who had come a long way, is",
        "theft from the islands, and from all who fish there.",
        "Nobody answered her, because nobody had come to hear.",
    )
    pages = [
        f"Orvane Gazette, page {n}\nMarch 2026\n\n{text}\n{n}" for n, text in enumerate(texts, 1)
    ]
    assert join_pages(pages) == (
        "The tax, said Runa Salt, who had come a long way, is theft from the islands, and from all who fish there. "
        "Nobody answered her, because nobody had come to hear."
    )


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            "a well-known man, a well-\nknown boat of some length",
            "a well-known man, a well-known boat of some length",
        ),
        (
            "he came to Berlin-\nMitte with his old bicycle",
            "he came to Berlin- Mitte with his old bicycle",
        ),
        ("the govern\u00ad\nment said so in the evening", "the government said so in the evening"),
        (
            "One long line that ends here, with a stop.\nShort one.\nAnother long line of the very same text.",
            "One long line that ends here, with a stop. Short one.\nAnother long line of the very same text.",
        ),
        ("the ﬁrst oﬃce of the ﬂeet", "the first office of the fleet"),
        ("One.\n\n\nTwo.", "One.\nTwo."),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_lines_of_a_page_are_joined(lines, text):
    assert join_pages([lines]) == text


def test_pages_without_text_give_a_warning(workdir):
    pytest.importorskip("pypdf")
    assert read("a.pdf", pdf(LINES, None)).warnings == (
        GUESSED,
        "no text on 1 of 2 pages (scanned, or pictures alone): 2",
    )


def locked_pdf(password):
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(LINES))))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_a_pdf_that_needs_a_password_is_rejected(workdir):
    pytest.importorskip("pypdf")
    assert str(read("a.pdf", locked_pdf("secret"))) == (
        "a.pdf: expected a PDF that can be read without a password, found an encrypted one"
    )
    assert read("a.pdf", locked_pdf("")).text.startswith(LINES[0])  # locked only against changes


def test_a_scanned_pdf_is_rejected(workdir):
    pytest.importorskip("pypdf")
    assert str(read("a.pdf", pdf(None, None))) == (
        "a.pdf: expected a PDF with text, found 2 pages without any (scanned pages need text recognition first)"
    )


def pages_in_a_circle():
    return assembled(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"]
    )


def pages_that_unpack_to_much():
    bomb = stream(b" " * 300_000_000, packed=True)
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
            bomb,
        ]
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.4",
        b"not a PDF",
        b"\0" * 1000,
        pdf(LINES)[:300],
        pdf(LINES).replace(b"/Kids", b"/Kid"),
        b"%PDF-1.4\n" + b"[" * 100_000,
        pages_in_a_circle(),
        pages_that_unpack_to_much(),
    ],
    ids=range(9),
)
def test_hostile_pdfs_are_errors(workdir, capfd, data):
    pytest.importorskip("pypdf")
    error = read("a.pdf", data)
    assert isinstance(error, InputError)
    assert str(error).startswith("a.pdf: expected a PDF")
    assert "\n" not in str(error)
    assert capfd.readouterr().err == ""


# Word


def test_paragraphs_of_a_word_document(workdir):
    pytest.importorskip("docx")
    article = read(
        "a.docx",
        docx("Levee Inquiry", "The levee failed, he said.", "", "“Nobody\tsigned,” she\nadded."),
    )
    assert article == Article(
        "a",
        "Levee Inquiry\nThe levee failed, he said.\n“Nobody\tsigned,” she\nadded.",
        "Levee Inquiry",
    )


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "<w:p><w:ins><w:r><w:t>He said so.</w:t></w:r></w:ins><w:del><w:r><w:delText>No.</w:delText></w:r></w:del></w:p>",
            "He said so.",
        ),
        (
            "<w:p><w:hyperlink><w:r><w:t>He said</w:t></w:r></w:hyperlink><w:r><w:t> so.</w:t></w:r></w:p>",
            "He said so.",
        ),
        (
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Left.</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Right.</w:t></w:r></w:p>"
            "</w:tc></w:tr></w:tbl>",
            "Left.\nRight.",
        ),
        (
            "<w:p><w:r><w:t>Around.</w:t><w:pict><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
            "</w:pict></w:r></w:p>",
            "Around.\nIn a box.",
        ),
        ("<w:p><w:r><w:t>Page </w:t><w:instrText>PAGE</w:instrText></w:r></w:p>", "Page"),
    ],
)
def test_text_of_insertions_links_tables_and_boxes_in_word(workdir, markup, text):
    pytest.importorskip("docx")
    data = altered(
        docx(), lambda content: [content.replace(b"<w:sectPr", markup.encode() + b"<w:sectPr", 1)]
    )
    assert read("a.docx", data).text == text


def test_unread_footnotes_of_a_word_document_give_a_warning(workdir):
    pytest.importorskip("docx")
    note = b'<w:p><w:r><w:t>He left.</w:t><w:footnoteReference w:id="1"/></w:r></w:p><w:sectPr'
    data = altered(docx(), lambda content: [content.replace(b"<w:sectPr", note, 1)])
    assert read("a.docx", data).warnings == ("the footnotes are not read",)


def with_entities_that_expand(content):
    """Return a document with an entity that expands to a billion letters."""
    doctype = b"<!DOCTYPE w [<!ENTITY a0 'aaaaaaaaaa'>"
    for n in range(1, 9):
        doctype += b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10)
    doctype += b"]>"
    declaration, mark, body = content.partition(b"?>")
    body = body.replace(b"<w:sectPr", b"<w:p><w:r><w:t>&a8;</w:t></w:r></w:p><w:sectPr", 1)
    return [declaration + mark + doctype + body]


def with_deep_nesting(content):
    return [content.replace(b"<w:sectPr", b"<w:p><w:r>" * 10_000 + b"<w:sectPr", 1)]


def with_much_padding(content):
    head, tail = content.split(b"<w:sectPr", 1)
    return [head, *[b" " * 1_000_000] * 300, b"<w:sectPr", tail]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: b"", "found a file that cannot be read as one"),
        (lambda: b"PK\x03\x04 and no more", "found a file that cannot be read as one"),
        (
            lambda: b"\xd0\xcf\x11\xe0 a locked one",
            "without a password, found an encrypted one or a .doc file",
        ),
        (lambda: docx("He left.")[:-200], "found a file that cannot be read as one"),
        (lambda: docx(), "expected a document with text, found none"),
        (
            lambda: altered(docx(), with_much_padding),
            "unpacks to at most 50,000,000 bytes of text, found more",
        ),
        (lambda: altered(docx(), with_deep_nesting), "found a file that cannot be read as one"),
        (lambda: altered(docx(), with_entities_that_expand), ""),
        (lambda: altered(docx(), lambda _: [b"<a/>"]), "found a file that cannot be read as one"),
    ],
)
def test_hostile_word_documents_are_errors(workdir, data, message):
    pytest.importorskip("docx")
    error = read("a.docx", data())
    assert isinstance(error, InputError)
    assert str(error).startswith("a.docx: expected")
    assert message in str(error)


@pytest.mark.parametrize(
    ("parse", "module", "library"),
    [(pdf_reader.parse, "pypdf", "pypdf"), (word.parse, "docx", "python-docx")],
)
def test_a_missing_library_is_named(monkeypatch, parse, module, library):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"a: this needs '{library}': pip install"):
        parse(RawFile(b"x", "a", "a"))
