"""Make PDF and Word files for tests, byte by byte where no library would write such a file."""

import io
import zipfile
import zlib


def pdf(*pages):
    """Return a PDF with lines of text on its pages; a page that is ``None`` has no text."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    kids = []
    for lines in pages:
        content = b""
        if lines is not None:
            text_operators = b"".join(
                b"<%s> Tj T*\n" % line.encode("cp1252").hex().encode() for line in lines
            )
            content = b"BT /F1 11 Tf 14 TL 72 720 Td\n" + text_operators + b"ET"
        objects.append(stream(content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    return assembled(objects)


def stream(content, packed=False):
    """Return a stream object of a PDF, compressed if ``packed``."""
    content = zlib.compress(content, 9) if packed else content
    filter_entry = b" /Filter /FlateDecode" if packed else b""
    return b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(content), filter_entry, content)


def assembled(objects):
    """Return a PDF of these objects, with its table of references and trailer."""
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        len(data),
    )
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + entries
    return data + table + trailer


def form_drawn_often():
    """Return a PDF of less than a kilobyte with a page that draws a form of many letters 50,000 times."""
    form = stream(b"BT /F1 9 Tf " + b"(x) Tj " * 300 + b"ET", packed=True)
    form = form.replace(
        b"<<", b"<< /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 5 0 R >> >>", 1
    )
    return assembled(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R "
            b"/Resources << /XObject << /X 6 0 R >> >> >>",
            stream(b"/X Do " * 50_000, packed=True),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            form,
        ]
    )


def docx(*paragraphs):
    """Return a Word document as python-docx writes it."""
    from docx import Document

    document = Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def altered(data, change, name="word/document.xml"):
    """Return a Word document with one entry of the archive changed; ``change`` returns its new content in pieces."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            content = old.read(entry)
            pieces = change(content) if entry.filename == name else [content]
            with new.open(entry.filename, "w") as new_entry:
                for piece in pieces:
                    new_entry.write(piece)
    return file.getvalue()
