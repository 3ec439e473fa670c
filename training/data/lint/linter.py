"""The linter of annotated data: everything that is wrong or may well be, with its place, in one reading.

.. code-block:: python

    inspection = Inspection(config.data, load_codebook("codebook.yaml"))
    for finding in inspection.findings():
        print(finding)

What the records say is kept as counts and hashes; memory grows by some hundred bytes a record, not by its text.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from claimstance.model.errors import ConfigError
from claimstance.model.record import Record
from claimstance.training.data.codebook import Codebook, label_sets, load_codebook
from claimstance.training.data.config import DataConfig
from claimstance.training.data.lint import DATA_CHECKS, RECORD_CHECKS
from claimstance.training.data.lint.base import Finding
from claimstance.training.data.lint.facts import Facts
from claimstance.training.data.lint.fixes import Fixes
from claimstance.training.data.lint.reading import formats_of, read_source


class Inspection:
    """One check of the sources of a data section.

    Attributes:
        facts: what is known of the data; all of it once ``findings`` came to its end.
        counts: severity → how many findings there were so far.
        unread: how many of them say of something that it could not be read.
    """

    def __init__(self, config: DataConfig, codebook: Codebook | None = None) -> None:
        """Prepare the check.

        Args:
            config: the sources and, if given, the label sets and the codebook's file.
            codebook: in place of the one that ``config`` names.

        Raises:
            ConfigError: if there is no source, the codebook cannot be used, or defines other labels than ``config``.
        """
        if not config.sources:
            raise ConfigError("data.sources: expected at least one corpus or file, found none")
        if codebook is None and config.codebook is not None:
            codebook = load_codebook(config.codebook)
        labels = {} if codebook is None else label_sets(codebook)
        for task, names in config.labels.items():
            if task in labels and set(labels[task]) != set(names):
                raise ConfigError(
                    f"data.labels.{task}: expected the labels of the codebook "
                    f"({', '.join(labels[task])}), found {', '.join(names)}"
                )
            labels[task] = tuple(names)
        self.config = config
        strict = any(name == "jsonl" for source in config.sources for name in formats_of(source))
        self.facts = Facts(labels, codebook, strict)
        self.counts: Counter[str] = Counter()
        self.unread = 0

    def findings(self, progress: Callable[[int], None] | None = None) -> Iterator[Finding]:
        """What is found, in the order of the files; last, what concerns all of them.

        Args:
            progress: called with 1 after each record.

        Raises:
            ConfigError: if a source asks a corpus or a format for what it does not have.
        """
        for finding in self._findings(progress):
            self.counts[finding.severity] += 1
            yield finding

    def _findings(self, progress: Callable[[int], None] | None) -> Iterator[Finding]:
        for source in self.config.sources:
            for read in read_source(source, self.config):
                if isinstance(read, Finding):
                    self.unread += read.severity == "error"
                    yield read
                    continue
                seen = self.facts.add(*read)
                for check in RECORD_CHECKS:
                    for message in check.find(seen):
                        yield Finding(check.severity, check.code, seen.place, message)
                if progress:
                    progress(1)
        for whole in DATA_CHECKS:
            for place, message in whole.find(self.facts):
                yield Finding(whole.severity, whole.code, place, message)

    def fixes(self) -> Fixes:
        """What can be put right, once ``findings`` came to its end."""
        return Fixes.of(self.facts)

    def records(self) -> Iterator[Record]:
        """The records that can be read, read once more: for ``Fixes.apply``."""
        for source in self.config.sources:
            for read in read_source(source, self.config):
                if not isinstance(read, Finding):
                    yield read[0]
