"""The linter of annotated data: reports every fault with its location, in one pass over the data.

.. code-block:: python

    inspection = Inspection(config.data, load_codebook("codebook.yaml"))
    for finding in inspection.findings():
        print(finding)

Records are reduced to counts and hashes: memory grows by some hundred bytes a record, not by its
text.
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
from claimstance.training.data.lint.read_sources import formats_of, read_source


class Inspection:
    """Check the sources of a data section.

    Attributes:
        facts: The statistics of the data; complete once ``findings`` is exhausted.
        counts: Severity → number of findings so far.
        unread: The number of findings so far for input that could not be read.
    """

    def __init__(self, config: DataConfig, codebook: Codebook | None = None) -> None:
        """Prepare the check.

        Args:
            config: The sources, and optionally the label sets and the codebook's file.
            codebook: A codebook to use in place of the one that ``config`` names.

        Raises:
            ConfigError: If there is no source, the codebook cannot be used, or defines other labels
                than ``config``.
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
        # Only JSON Lines has a default label set, to which the records must keep.
        default_sets = any("jsonl" in formats_of(source) for source in config.sources)
        self.facts = Facts(labels, codebook, default_sets)
        self.counts: Counter[str] = Counter()
        self.unread = 0

    def findings(self, progress: Callable[[int], None] | None = None) -> Iterator[Finding]:
        """Yield the findings in the order of the files, and last those about all of the data.

        Args:
            progress: A function to call with 1 after each record.

        Raises:
            ConfigError: If a source uses an option that its corpus or format does not have.
        """
        for finding in self._findings(progress):
            self.counts[finding.severity] += 1
            yield finding

    def _findings(self, progress: Callable[[int], None] | None) -> Iterator[Finding]:
        for source in self.config.sources:
            for entry in read_source(source, self.config):
                if isinstance(entry, Finding):
                    self.unread += entry.severity == "error"
                    yield entry
                    continue
                # The facts come first, because some checks compare a record with earlier ones.
                checked = self.facts.add(entry.record, entry.location, entry.split)
                for check in RECORD_CHECKS:
                    for message in check.find(checked):
                        yield Finding(check.severity, check.code, checked.location, message)
                if progress:
                    progress(1)
        # These need the counts of all records.
        for data_check in DATA_CHECKS:
            for location, message in data_check.find(self.facts):
                yield Finding(data_check.severity, data_check.code, location, message)

    def fixes(self) -> Fixes:
        """Return the safe corrections, once ``findings`` is exhausted."""
        return Fixes.of(self.facts)

    def records(self) -> Iterator[Record]:
        """Read the sources again, and yield the records that can be read, for ``Fixes.apply``."""
        for source in self.config.sources:
            for entry in read_source(source, self.config):
                if not isinstance(entry, Finding):
                    yield entry.record
