"""What can stop a stream processor.

TraverseError
└── ProcessorError
    ├── IndexUnavailableError   the operator must act: index missing, or access refused
    ├── LogRefusedError         Kafka refuses a write, and would refuse it again
    ├── WriterFencedError       another process has become the one writer
    ├── StateUnavailableError   the local state cannot be opened
    └── BadDeployError          too many events of one batch broke our own code
"""

from traverse_schemas.errors import TraverseError


class ProcessorError(TraverseError):
    """Base of what stops a stream processor. Nothing is lost: what was not done is not
    acknowledged, and is read again when the process starts again."""


class IndexUnavailableError(ProcessorError):
    """Elasticsearch refuses (401, 403) or does not have the index (404)."""


class LogRefusedError(ProcessorError):
    """Kafka refuses a write, and would refuse it again."""


class WriterFencedError(ProcessorError):
    """Another process has become the one writer: this one must write no more."""


class StateUnavailableError(ProcessorError):
    """The folder of the local state is in use or cannot be written."""


class BadDeployError(ProcessorError):
    """Our own code failed on too many events at once: a defect of ours, not of theirs."""
