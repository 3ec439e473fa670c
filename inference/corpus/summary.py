"""The figures of a report on a corpus, by SQL from the tables of a store.

Everything is counted on disk; what is returned has a bounded size, so that memory does not grow with
the corpus. Stances that take no side count nowhere, and those from which the model abstains count in the
overview alone.
"""

import sqlite3
from collections import defaultdict

from claimstance.inference.corpus.figures import (
    OTHER_TARGETS,
    TEXT_ITSELF,
    UNNAMED,
    UNSURE,
    Cell,
    Outlet,
    Overview,
    Pair,
    Sides,
    SourceRow,
    Summary,
    TargetRow,
)
from claimstance.inference.corpus.names import COUNTED, NOT_NAMED, is_pronoun_alone
from claimstance.inference.corpus.series import PERIODS, count_over_time, unit_of_time

#: The most outlets with a column or a panel of their own; the others are counted together.
OUTLETS = 12
OTHER_OUTLETS = "other outlets"
#: Rows of the tables of sources, targets and pairs, and how many sources of each outlet are among them.
SOURCES, TARGETS, PAIRS, SOURCES_OF_OUTLET = 100, 100, 100, 10
#: Holders and targets of the matrix.
MATRIX_HOLDERS, MATRIX_TARGETS = 300, 200

# A person is whoever or whatever names mean that were merged, numbered by the first of the names. A pronoun
# means somebody else in each article, so its stances count in sums, but it is nobody with a row.
_TABLES = f"""
    CREATE TEMP TABLE person (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    INSERT INTO person
        SELECT CASE merged WHEN '{NOT_NAMED}' THEN {UNNAMED} ELSE MIN(id) END, merged FROM name
        WHERE NOT is_pronoun(merged) GROUP BY merged;
    CREATE TEMP TABLE member (name INTEGER PRIMARY KEY, person INTEGER);
    INSERT INTO member
        SELECT name.id, COALESCE(person.id, {UNNAMED}) FROM name LEFT JOIN person ON person.name = name.merged;
    CREATE TEMP TABLE outlet (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    INSERT INTO outlet
        SELECT ROW_NUMBER() OVER (ORDER BY outlet = '', COUNT(*) DESC, outlet) - 1, outlet
        FROM article GROUP BY outlet;
    CREATE TEMP TABLE place (article INTEGER PRIMARY KEY, outlet INTEGER, period TEXT);
    CREATE TEMP TABLE speech (person INTEGER, article INTEGER, statements INTEGER, words INTEGER);
    INSERT INTO speech
        SELECT person, article, COUNT(*), SUM(words) FROM statement JOIN member USING (name)
        WHERE person > 0 GROUP BY person, article;
    CREATE INDEX temp.speech_of_person ON speech (person);
    CREATE TEMP TABLE side (holder INTEGER, target INTEGER, article INTEGER, label TEXT, count INTEGER);
    INSERT INTO side
        SELECT COALESCE(h.person, {TEXT_ITSELF}), t.person, article, label, COUNT(*) FROM stance
        LEFT JOIN member AS h ON h.name = holder JOIN member AS t ON t.name = target
        WHERE {COUNTED} GROUP BY 1, 2, 3, 4;
    CREATE INDEX temp.side_of_holder ON side (holder);
    CREATE INDEX temp.side_on_target ON side (target);
"""


def summarize(connection: sqlite3.Connection) -> Summary:
    """Count what a report shows.

    The tables ``person``, ``member``, ``outlet``, ``place``, ``speech`` and ``side``, which are made for this,
    stay in the connection: ``differences`` and ``excerpts`` read them, too.
    """
    connection.create_function("is_pronoun", 1, is_pronoun_alone, deterministic=True)
    connection.executescript(_TABLES)
    first, last = connection.execute("SELECT MIN(date), MAX(date) FROM article").fetchone()
    unit = unit_of_time(first, last)
    connection.execute(
        f"INSERT INTO place SELECT number, MIN(outlet.id, {OUTLETS}), {PERIODS[unit]} "
        "FROM article JOIN outlet ON outlet.name = article.outlet"
    )
    # The usual labels come first, then those of the model's own, by name.
    label_rows = connection.execute(
        "SELECT DISTINCT label FROM side ORDER BY label <> 'favor', label <> 'against', label"
    )
    labels = tuple(label for (label,) in label_rows)
    outlets = _outlets(connection)
    sources, top_sources = _sources(connection, len(outlets))
    targets = _targets(connection, len(outlets), "1 = 1")
    holders, matrix_targets, cells = _matrix(connection)
    (outlet_count,) = connection.execute("SELECT COUNT(*) FROM outlet WHERE name <> ''").fetchone()
    return Summary(
        overview=_overview(connection, first or "", last or ""),
        labels=labels,
        outlets=outlets,
        outlet_count=outlet_count,
        sources=sources,
        top_sources=top_sources,
        targets=targets,
        pairs=_pairs(connection),
        own=_targets(connection, len(outlets), f"holder = {TEXT_ITSELF}"),
        holders=holders,
        matrix_targets=matrix_targets,
        cells=cells,
        series=count_over_time(connection, unit, labels, sources, targets, outlets),
    )


def _overview(connection: sqlite3.Connection, first: str, last: str) -> Overview:
    """Return the sums over all articles; ``first`` and ``last`` are the days of the first and the last one."""
    query = connection.execute
    articles = query(
        "SELECT COUNT(*), TOTAL(sentences), TOTAL(claims), TOTAL(date IS NULL) FROM article"
    ).fetchone()
    count, sentences, claims, undated = map(int, articles)
    spoken = query("SELECT TOTAL(statements), TOTAL(words), COUNT(DISTINCT person) FROM speech")
    named, named_words, sources = map(int, spoken.fetchone())
    (statements,) = query("SELECT COUNT(*) FROM statement").fetchone()
    (unsure,) = query("SELECT COUNT(*) FROM statement WHERE probability < ?", (UNSURE,)).fetchone()
    (holders,) = query("SELECT COUNT(DISTINCT holder) FROM side WHERE holder > 0").fetchone()
    (targets,) = query("SELECT COUNT(DISTINCT target) FROM side WHERE target > 0").fetchone()
    (pairs,) = query(
        "SELECT COUNT(*) FROM (SELECT DISTINCT holder, target FROM side WHERE holder > 0 AND target > 0)"
    ).fetchone()
    (abstained,) = query("SELECT COUNT(*) FROM stance WHERE abstained = 1").fetchone()
    (least,) = query(
        f"SELECT MIN(probability) FROM stance WHERE holder IS NOT NULL AND {COUNTED}"
    ).fetchone()
    return Overview(
        articles=count,
        sentences=sentences,
        claims=claims,
        statements=statements,
        unsure=unsure,
        named=named,
        named_words=named_words,
        sources=sources,
        holders=holders,
        targets=targets,
        pairs=pairs,
        sides=dict(query("SELECT label, SUM(count) FROM side GROUP BY label")),
        own_sides=dict(
            query(f"SELECT label, SUM(count) FROM side WHERE holder = {TEXT_ITSELF} GROUP BY label")
        ),
        abstained=abstained,
        least_probability=least,
        undated=undated,
        first=first,
        last=last,
    )


def _outlets(connection: sqlite3.Connection) -> tuple[Outlet, ...]:
    """Return the sums over the articles of each outlet; beyond ``OUTLETS`` they are one outlet."""
    query = connection.execute
    names = [name for (name,) in query(f"SELECT name FROM outlet ORDER BY id LIMIT {OUTLETS + 1}")]
    (count,) = query("SELECT COUNT(*) FROM outlet").fetchone()
    if count > OUTLETS:
        names[OUTLETS:] = [OTHER_OUTLETS]
    statements = dict(
        query("SELECT outlet, COUNT(*) FROM statement JOIN place USING (article) GROUP BY outlet")
    )
    named: dict[int, tuple[int, int]] = {}
    for number, count, words in query(
        "SELECT outlet, SUM(statements), SUM(words) FROM speech JOIN place USING (article) GROUP BY outlet"
    ):
        named[number] = count, words
    sides: dict[int, Sides] = defaultdict(dict)
    for number, label, total in query(
        "SELECT outlet, label, SUM(count) FROM side JOIN place USING (article) GROUP BY outlet, label"
    ):
        sides[number][label] = total

    rows = query(
        "SELECT place.outlet, COUNT(*), SUM(sentences), SUM(claims), SUM(words) FROM article "
        "JOIN place ON place.article = article.number GROUP BY place.outlet ORDER BY place.outlet"
    )
    outlets = []
    for number, articles, sentences, claims, words in rows:
        named_statements, named_words = named.get(number, (0, 0))
        outlet = Outlet(
            name=names[number],
            articles=articles,
            sentences=sentences,
            claims=claims,
            words=words,
            statements=statements.get(number, 0),
            named=named_statements,
            named_words=named_words,
            sides=sides[number],
        )
        outlets.append(outlet)
    return tuple(outlets)


def _sources(
    connection: sqlite3.Connection, outlets: int
) -> tuple[tuple[SourceRow, ...], tuple[tuple[SourceRow, ...], ...]]:
    """Return those who speak most, over all or in an outlet; and those who speak most in each outlet."""
    query = connection.execute
    order = "GROUP BY person ORDER BY SUM(statements) DESC, SUM(words) DESC, person LIMIT ?"
    people = [person for (person,) in query(f"SELECT person FROM speech {order}", (SOURCES,))]
    people_of_outlet = []
    for outlet in range(outlets):
        rows = query(
            f"SELECT person FROM speech JOIN place USING (article) WHERE outlet = ? {order}",
            (outlet, SOURCES_OF_OUTLET),
        )
        people_of_outlet.append([person for (person,) in rows])
        people += people_of_outlet[-1]

    sources: dict[int, SourceRow] = {}
    for person in dict.fromkeys(people):
        name, statements, words, articles = query(
            "SELECT name, SUM(statements), SUM(words), COUNT(*) FROM speech JOIN person ON person.id = person "
            "WHERE person = ?",
            (person,),
        ).fetchone()
        by_outlet = dict(
            query(
                "SELECT outlet, SUM(statements) FROM speech JOIN place USING (article) "
                "WHERE person = ? GROUP BY outlet",
                (person,),
            )
        )
        counts = tuple(by_outlet.get(outlet, 0) for outlet in range(outlets))
        sources[person] = SourceRow(person, name, statements, words, articles, counts)

    top_sources = []
    for top in people_of_outlet:
        rows_of_outlet = [sources[person] for person in top]
        top_sources.append(tuple(rows_of_outlet))
    ranked = sorted(sources.values(), key=lambda row: (-row.statements, -row.words, row.person))
    return tuple(ranked), tuple(top_sources)


def _targets(connection: sqlite3.Connection, outlets: int, condition: str) -> tuple[TargetRow, ...]:
    """Return those on whom most sides are taken; ``condition`` selects rows of the table ``side``."""
    query = connection.execute
    rows = query(
        f"SELECT target, name, COUNT(DISTINCT article) FROM side JOIN person ON person.id = target "
        f"WHERE target > 0 AND {condition} GROUP BY target ORDER BY SUM(count) DESC, target LIMIT ?",
        (TARGETS,),
    ).fetchall()
    targets = []
    for target, name, articles in rows:
        sides: Sides = defaultdict(int)
        own_sides: Sides = defaultdict(int)
        by_outlet: list[Sides] = [{} for _ in range(outlets)]
        for outlet, label, is_own, count in query(
            f"SELECT outlet, label, holder = {TEXT_ITSELF}, SUM(count) FROM side JOIN place USING (article) "
            f"WHERE target = ? AND {condition} GROUP BY 1, 2, 3",
            (target,),
        ):
            sides[label] += count
            if is_own:
                own_sides[label] += count
            by_outlet[outlet][label] = by_outlet[outlet].get(label, 0) + count
        targets.append(
            TargetRow(target, name, dict(sides), dict(own_sides), articles, tuple(by_outlet))
        )
    return tuple(targets)


def _pairs(connection: sqlite3.Connection) -> tuple[Pair, ...]:
    """Return the pairs of a named holder and a target with the most stances."""
    rows = connection.execute(
        "SELECT holder, h.name, target, t.name, COUNT(DISTINCT article) FROM side "
        "JOIN person AS h ON h.id = holder JOIN person AS t ON t.id = target "
        "WHERE holder > 0 AND target > 0 GROUP BY holder, target "
        "ORDER BY SUM(count) DESC, COUNT(DISTINCT article) DESC, holder, target LIMIT ?",
        (PAIRS,),
    ).fetchall()
    pairs = []
    for holder, holder_name, target, target_name, articles in rows:
        sides = connection.execute(
            "SELECT label, SUM(count) FROM side WHERE holder = ? AND target = ? GROUP BY label",
            (holder, target),
        )
        pairs.append(Pair(holder, holder_name, target, target_name, dict(sides), articles))
    return tuple(pairs)


def _matrix(
    connection: sqlite3.Connection,
) -> tuple[dict[int, str], dict[int, str], tuple[Cell, ...]]:
    """Return the holders of the matrix, its targets (number → name, most stances first), and its cells.

    The targets are those on whom named sources take most sides, and then those on whom the texts do.
    """
    query = connection.execute
    holder_rows = query(
        "SELECT holder, COALESCE(name, '') FROM side LEFT JOIN person ON person.id = holder "
        f"WHERE holder <> {UNNAMED} GROUP BY holder ORDER BY SUM(count) DESC, holder LIMIT ?",
        (MATRIX_HOLDERS,),
    )
    holders: dict[int, str] = dict(holder_rows.fetchall())
    target_rows = query(
        "SELECT target, name FROM side JOIN person ON person.id = target "
        "WHERE target > 0 GROUP BY target ORDER BY SUM(CASE WHEN holder > 0 THEN count ELSE 0 END) DESC, "
        "SUM(count) DESC, target LIMIT ?",
        (MATRIX_TARGETS,),
    )
    targets: dict[int, str] = dict(target_rows.fetchall())

    cells = []
    for holder in holders:
        # Targets without a column are counted together, so that the rows still have all stances.
        others: dict[tuple[int, str], int] = defaultdict(int)
        for target, outlet, label, count in query(
            "SELECT target, outlet, label, SUM(count) FROM side JOIN place USING (article) WHERE holder = ? "
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            (holder,),
        ):
            if target in targets:
                cells.append(Cell(holder, target, outlet, label, count))
            else:
                others[outlet, label] += count
        for (outlet, label), count in others.items():
            cells.append(Cell(holder, OTHER_TARGETS, outlet, label, count))
    return holders, targets, tuple(cells)
