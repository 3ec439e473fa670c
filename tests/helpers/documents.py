"""PDF and Word files as tests need them, written byte by byte where no library would write such a thing."""

import io
import zipfile
import zlib


def pdf(*pages):
    """A PDF with lines of text on pages; a page that is ``None`` has none."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    kids = []
    for lines in pages:
        shown = b"".join(
            b"<%s> Tj T*\n" % line.encode("cp1252").hex().encode() for line in lines or ()
        )
        objects.append(
            stream(b"BT /F1 11 Tf 14 TL 72 720 Td\n" + shown + b"ET" if lines is not None else b"")
        )
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    return assembled(objects)


def stream(content, packed=False):
    content = zlib.compress(content, 9) if packed else content
    how = b" /Filter /FlateDecode" if packed else b""
    return b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(content), how, content)


def assembled(objects):
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        len(data),
    )
    return data + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def form_drawn_often():
    """A PDF of less than a kilobyte: a page that draws a form of many letters 50,000 times."""
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
    """A Word document, as python-docx writes it."""
    from docx import Document

    document = Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def altered(data, change, name="word/document.xml"):
    """A Word document with a part of it changed, or, if ``change`` gives pieces, written as these."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            content = old.read(entry)
            with new.open(entry.filename, "w") as part:
                for piece in change(content) if entry.filename == name else [content]:
                    part.write(piece)
    return file.getvalue()
