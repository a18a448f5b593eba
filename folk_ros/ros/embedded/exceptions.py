"""What goes wrong, under the names of rclpy.exceptions and rclpy.executors."""

from __future__ import annotations


class ExternalShutdownException(Exception):
    """The context was shut down, by a signal or another thread."""


class ShutdownException(Exception):
    """The executor was shut down."""


class TimeoutException(Exception):
    """Time ran out."""


class NotInitializedException(Exception):
    """Something needs init() first."""


class ParameterException(Exception):
    """A parameter could not be declared, read or set."""


class ParameterAlreadyDeclaredException(ParameterException):
    """It was declared before."""


class ParameterNotDeclaredException(ParameterException):
    """It was never declared."""


class ParameterUninitializedException(ParameterException):
    """It has a type but no value yet."""


class ParameterImmutableException(ParameterException):
    """It is read-only."""


class InvalidParameterTypeException(ParameterException):
    """The value is of another type than the parameter."""


class InvalidParameterValueException(ParameterException):
    """The value is outside of what the parameter allows."""
