"""What tests ask about other processes."""

from pathlib import Path


def is_alive(pid):
    """Whether a process runs; one that has ended and was not asked for its exit code does not."""
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != 'Z'
