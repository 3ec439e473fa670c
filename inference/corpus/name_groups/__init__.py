"""Names of different articles that mean the same person, group or thing, joined across a corpus.

Precision comes first, since a wrong merge puts words into somebody's mouth. Within an article, a short form
belongs to the only fitting name; here, it must fit one name of the whole corpus, or the articles with both
forms must agree on it: *Clinton* stays *Clinton* where Bill and Hillary Clinton occur.

Names are compared in blocks (of a surname, of an acronym), and one block is in memory at a time. So time
grows little faster than the number of names.
"""
